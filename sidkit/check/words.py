"""The words by which the checker reads English captions: small lists, each with what it is for.

No list is complete. `check_scores` says how far they reach, on captions that they were not made for.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = _words(
    "a an the this that these those its his her their my our your some any each every another one two three four "
    "several many few both no"
)
POSSESSIVES = _words("its his her their")
PREPOSITIONS = _words(
    "of on in at by to from with without into onto over under above below beneath behind beside besides between "
    "among amongst amid amidst against across along around near next before after outside inside through toward "
    "towards within upon underneath atop off out up down past beyond during for as like than about"
)
LINKS = _words("and or but while as where when which that who whose whom because though although so then nor yet")
PRONOUNS = _words("it he she they them him there here itself someone something nothing everything what")
BEING = _words("is are was were be been being looks look looking seems seem appears appear")
HAVING = _words("has have had having")
ADVERBS = _words(
    "very slightly partly mostly fully completely half just only also still not quite rather almost nearly gently "
    "softly up-close far away close together apart alone outdoors indoors upright sideways ahead again too well "
    "even"
)

# What one subject of a class has and another has not. These words move its looks out of [v].
COLORS = _words(
    "red orange yellow green blue purple violet pink brown black gray grey white golden gold silver bronze copper "
    "beige tan cream ivory teal turquoise cyan magenta maroon burgundy crimson scarlet navy indigo lavender lilac "
    "mint olive khaki mustard ochre amber ginger auburn chestnut fawn sable brindle merle tricolor tricolour rust "
    "salmon peach coral rose fuchsia blond blonde charcoal ebony hazel chocolate caramel honey mauve plum lime "
    "emerald azure multicolored multicoloured multicolor colorful colourful rainbow pastel monochrome dark light "
    "pale bright"
)
SHAPES = _words(
    "big small large little tiny huge giant massive tall short long thick thin wide narrow slim fat chubby plump "
    "skinny stocky muscular round rounded square rectangular oval pointed pointy curved curly wavy straight flat "
    "slender miniature oversized boxy cylindrical triangular heart-shaped bulbous stubby droopy floppy perky "
    "upturned bushy medium-sized chunky sleek elongated"
)
SURFACES = _words(
    "fluffy furry hairy shaggy fuzzy smooth rough shiny glossy matte matt metallic wooden plastic rubber leather "
    "woolen woollen wool knitted cotton velvet denim canvas plush ceramic porcelain glass steel stainless stone "
    "marble paper cardboard felt silk satin nylon transparent translucent silky wiry scruffy spotted striped "
    "checkered plaid dotted speckled patterned freckled plain embroidered printed painted enamel glittery sparkly "
    "fringed quilted studded tufted scaly feathered horned bald fleecy shaded worn tattered rusty faded weathered"
)
CHARACTER = _words(
    "cute adorable beautiful lovely pretty handsome elegant fancy stylish modern vintage antique retro classic old "
    "new young elderly baby adult fierce ugly funny quirky cartoon cartoonish realistic male female purebred "
    "mixed-breed pedigree luxurious expensive designer branded ornate decorative simple unique distinctive"
)
LOOKS = COLORS | SHAPES | SURFACES | CHARACTER
LOOKS_ENDINGS = tuple(
    f"-{ending}"
    for ending in (
        *("colored", "coloured", "haired", "eared", "tailed", "faced", "eyed", "shaped", "legged", "furred", "coated"),
        *("patterned", "rimmed", "framed", "sleeved", "toned", "striped"),
    )
)

# What a subject is doing or the state that it is in changes from picture to picture, and is better said.
STATES = _words(
    "sleepy happy sad angry excited curious calm playful wet dirty muddy dusty open closed empty full lone single "
    "same half-open upside-down tired alert blurred distant framed lit surprised relaxed bored scared frightened"
)

# Parts whose mere mention describes, and parts that also tell a pose ("with its tongue out").
MARKS = _words(
    "fur coat hair wool fleece plumage feather mane marking stripe spot patch freckle pattern print logo label "
    "brand whisker muzzle snout beak horn antler skin shell scale fringe tassel lens rim strap zipper zip buckle "
    "lid handle spout button lace sole heel dial wheel hub antenna stitching seam embroidery lettering inscription "
    "trim hem texture surface finish color colour hue tone shade complexion body build belly chest breed face"
)
POSED = _words(
    "ear eye nose mouth tongue tooth teeth tail paw leg foot feet toe arm hand head neck back wing claw fin trunk "
    "lip cheek brow eyebrow forehead finger screen hood visor cap-toe chin"
)
ANIMATE = _words(
    "fur hair mane muzzle snout whisker tail paw ear chest belly beak feather plumage coat eye nose face claw wing"
)
APPLIED = _words("printed written painted embroidered stitched drawn engraved stamped inscribed embossed")
DRESSED = _words("decorated covered adorned patterned dotted speckled labelled labeled marked lined trimmed")

BREEDS = _words(
    "corgi dachshund retriever labrador shepherd poodle bulldog beagle husky malamute collie pug chihuahua spaniel "
    "terrier rottweiler dalmatian pomeranian samoyed akita shiba chow doodle labradoodle goldendoodle cockapoo "
    "bichon maltese boxer mastiff hound greyhound whippet pointer setter schnauzer doberman pitbull newfoundland "
    "tabby siamese persian calico tortoiseshell sphynx ragdoll maine-coon bengal birman tuxedo shorthair longhair "
    "kitten puppy mallard cockatoo cockerel cockatiel parakeet stallion mare foal"
)

# A style subject's looks: here the way of painting is what [v] must learn (Fig. 3, right).
STYLES = _words(
    "impressionist impressionism expressionist cubist baroque surrealist abstract pointillist brushstroke "
    "brushstrokes brushwork impasto oil acrylic gouache watercolor watercolour pastel ink pencil charcoal sketch "
    "pixel pixelated mosaic neon blueprint pop cartoon anime manga comic vector flat-design crayon woodcut etching "
    "linocut swirling ukiyo-e low-poly"
)

SIDES = _words("left right")
SIDE_BEFORE = _words("the to facing looking upper lower top bottom far on its his her their towards toward from")
SIDE_AFTER = _words("of side half hand corner edge foreground background third part")
FRAME = _words("picture image photo photograph frame shot view scene")

PEOPLE_AND_ANIMALS = _words(
    "man woman boy girl person people child children kid baby lady guy hand player owner friend crowd dog cat horse "
    "cow sheep bird duck chicken rabbit mouse bear lion tiger fish frog pig goat elephant monkey penguin owl turtle "
    "puppy kitten parrot fox wolf deer squirrel"
)
PLACES = _words(
    "beach snow city street meadow grass desert forest wood woods room kitchen bedroom bathroom office garden park "
    "field road path pavement sidewalk lawn floor ground carpet rug table desk bench sofa couch bed chair shelf "
    "wall window windowsill sky sea ocean lake river canal mountain mountains hill moon space stage theater theatre "
    "home house yard backyard sand dune dunes seaside shore rock boulder stone leaves ledge asphalt concrete porch "
    "deck blanket sheet cushion counter stairs step grassland jungle tiles water bridge market studio backdrop "
    "background"
)
# Two words for one thing, so that a caption that says it in the other word is not taken for one that forgot it.
SYNONYMS = {
    **dict.fromkeys(("couch", "settee"), "sofa"),
    **dict.fromkeys(("wood", "woodland"), "forest"),
    **dict.fromkeys(("seaside", "shore"), "beach"),
    **dict.fromkeys(("backyard", "yard"), "garden"),
    "carpet": "rug",
    "cushion": "pillow",
    "sidewalk": "pavement",
    "lawn": "grass",
    "mug": "cup",
    "kid": "child",
    "bicycle": "bike",
}
# Nouns that name no thing of the picture.
EMPTY = _words(
    "photo picture image photograph painting drawing sketch shot portrait close-up closeup view front side top "
    "bottom middle center centre foreground rest distance style art direction kind sort type pair piece lot edge "
    "corner daylight sunshine sunlight sunset sunrise dawn dusk night day evening morning afternoon light dark mist "
    "camera viewer left right half part way bit row"
)

# What taggers and web interfaces put into captions: a picture's rating, and how many there are of what.
TAGS = frozenset({
    "masterpiece", "best quality", "high quality", "highest quality", "amazing quality", "good quality", "top quality",
    "absurdres", "highres", "high resolution", "ultra detailed", "highly detailed", "extremely detailed", "detailed",
    "intricate details", "8k", "4k", "8k uhd", "uhd", "hdr", "hd", "raw photo", "photorealistic", "ultra realistic",
    "trending on artstation", "artstation", "award winning", "award-winning", "unreal engine", "octane render", "solo",
    "no humans", "newest", "simple background", "looking at viewer", "sharp focus", "depth of field", "bokeh",
})  # fmt: skip
TAG = re.compile(r"\d\+?(?:girl|boy|dog|cat|other)s?|score[ _]\d(?:[ _]up)?|(?:rating|source)[:_ ]\w+")

ING_NOUNS = _words(
    "railing building clothing ceiling stitching lettering lining ring string king wing evening morning painting "
    "thing drawing flooring fencing lighting wedding earring icing swing spring clearing crossing marking bedding "
    "paving"
)
VERBS = _words(
    "sit sits sat lie lies lay lays lain stand stands stood rest rests rested lean leans leaned leant run runs ran "
    "walk walks walked jump jumps jumped look looks looked wear wears wore worn hold holds held carry carries "
    "carried play plays played sleep sleeps slept perch perches perched hang hangs hung place placed places show "
    "shows shown seen set surrounded covered filled propped laid parked mounted framed photographed taken made "
    "bathed lit tucked wrapped raised lifted turned facing faces face crouches crouched leaps leaped float floats "
    "floating gazes gazed stares stared falls fall fell mid-jumps catches caught chases emerges peeks peers strewn "
    "scattered topped"
)
