/**
 * Nouns that small children know, by what a story can do with them. A slash gives an irregular plural; words in
 * `UNCOUNTED` have none.
 */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Things that somebody can want, lose, find, carry or give. */
export const OBJECTS = list(`
  ball balloon kite doll puppet drum whistle flute trumpet bell rattle marble top block puzzle rope ribbon button bead
  necklace bracelet ring crown mask cape wand sword shield helmet flag banner lantern lamp candle torch match/matches
  key lock chain box/boxes chest basket bucket bag sack purse wallet backpack suitcase trunk jar bottle cup mug glass/glasses
  bowl plate spoon fork pan pot kettle teapot tray pitcher jug barrel crate tub sponge brush/brushes broom mop towel
  blanket pillow quilt cushion mat rug curtain mirror comb clock watch/watches compass/compasses map book notebook letter
  card stamp envelope pencil crayon marker pen paintbrush/paintbrushes easel picture painting poster photo camera
  telescope magnet magnifier ruler eraser scissors glue tape sticker toy robot rocket train engine truck tractor wagon
  cart wheelbarrow scooter bicycle tricycle skateboard sled ski skate boat raft canoe paddle oar sail anchor net hook
  ladder hammer nail screw wrench/wrenches saw drill shovel rake hoe spade hose sprinkler seed pot flowerpot birdhouse nest feather
  shell pebble stone rock crystal gem jewel pearl diamond coin treasure medal trophy/trophies ribbon badge ticket
  present gift package parcel basket bow arrow slingshot boomerang yo-yo frisbee bat glove racket hoop swing seesaw slide
  tent hammock umbrella parasol fan thermometer bandage needle thread spool yarn cloth patch/patches zipper pocket
  hat cap bonnet scarf/scarves mitten coat jacket sweater shirt blouse dress/dresses skirt apron sock shoe boot slipper
  sandal belt buckle tie vest robe pajama costume wig raincoat
  radio piano guitar violin banjo harp tambourine accordion xylophone harmonica keyboard record bulb
  switch/switches wire battery/batteries spring gear wheel pulley lever machine gadget windmill propeller parachute
  kaleidoscope snowglobe hourglass/hourglasses globe statue figurine teddy bobblehead dollhouse playhouse carousel
`);

/** Animals that can be characters, friends or pets. */
export const ANIMALS = list(`
  cat kitten dog puppy/puppies rabbit bunny/bunnies hamster mouse/mice rat squirrel chipmunk hedgehog mole badger
  fox/foxes wolf/wolves bear cub lion tiger leopard cheetah panther zebra giraffe elephant hippo rhino camel llama
  donkey horse pony/ponies foal cow calf/calves bull goat kid sheep/sheep lamb pig piglet hen chick rooster duck
  duckling goose/geese gosling swan turkey peacock pigeon dove sparrow robin crow raven owl owlet hawk eagle falcon
  parrot canary/canaries penguin puffin seagull pelican stork heron flamingo ostrich/ostriches woodpecker hummingbird
  frog toad tadpole newt lizard gecko chameleon iguana snake turtle tortoise crocodile alligator dinosaur dragon
  fish/fish goldfish/goldfish trout/trout salmon/salmon shark whale dolphin seal walrus/walruses otter beaver octopus/octopuses
  squid crab lobster shrimp snail slug worm caterpillar butterfly/butterflies moth bee bumblebee wasp ant beetle
  ladybug firefly/fireflies dragonfly/dragonflies cricket grasshopper spider mosquito/mosquitoes monkey gorilla
  chimpanzee lemur koala kangaroo wombat platypus/platypuses opossum raccoon skunk weasel ferret mink deer/deer fawn
  moose/moose reindeer/reindeer elk antelope gazelle buffalo/buffaloes yak bat unicorn starfish/starfish jellyfish/jellyfish seahorse
  stingray clam oyster mussel
`);

/** Places that a story can happen in; all take "the". */
export const PLACES = list(`
  park garden yard playground meadow field forest jungle desert beach/beaches shore island lake pond river stream
  creek waterfall swamp marsh/marshes hill mountain valley cave canyon cliff volcano/volcanoes farm barn stable coop
  orchard vineyard village town city/cities street alley lane road path bridge tunnel harbor dock pier lighthouse castle
  palace tower cottage cabin hut treehouse attic basement cellar kitchen bedroom bathroom hallway staircase porch balcony/balconies
  garage shed greenhouse library/libraries school classroom museum theater circus/circuses zoo aquarium market bakery/bakeries shop
  store toyshop bookshop restaurant cafe hospital station airport factory/factories workshop mill church/churches square
  fountain stadium gym pool rink campground festival fair carnival parade jetty quarry/quarries glade grove thicket hedge
  clearing hilltop riverbank seaside countryside schoolyard backyard courtyard doorway rooftop marketplace windowsill
  crossroads ranch/ranches pasture prairie lagoon bay glacier
`);

/** Things to eat and drink. */
export const FOODS = list(`
  apple pear peach/peaches plum cherry/cherries grape banana orange lemon lime melon watermelon mango/mangoes pineapple
  coconut strawberry/strawberries raspberry/raspberries blueberry/blueberries blackberry/blackberries fig date apricot kiwi
  carrot potato/potatoes tomato/tomatoes cucumber onion pea bean corn pumpkin squash cabbage lettuce spinach celery radish/radishes
  turnip beet pepper mushroom nut peanut walnut acorn almond chestnut bread loaf/loaves roll bun bagel toast muffin
  pancake waffle biscuit cookie cracker pretzel cake cupcake pie tart pudding jelly jam honey sugar candy/candies chocolate
  lollipop caramel fudge marshmallow popcorn doughnut cereal oatmeal porridge rice noodle spaghetti pizza sandwich/sandwiches
  burger sausage bacon ham egg omelet cheese butter cream milk yogurt milkshake juice lemonade cocoa tea water soup stew
  salad sauce dumpling taco burrito syrup cinnamon vanilla ginger gingerbread raisin sundae sherbet custard casserole
`);

/** Plants, weather, sky and ground. */
export const NATURE = list(`
  tree oak pine maple willow birch/birches palm bush/bushes vine flower rose daisy/daisies tulip lily/lilies violet
  sunflower dandelion poppy/poppies clover grass moss/mosses fern ivy leaf/leaves branch/branches twig stick log stump root
  bark thorn petal blossom bud stem cactus/cactuses reed sand mud dirt dust clay snow snowflake snowman/snowmen icicle ice
  frost hail rain raindrop puddle rainbow cloud fog mist wind breeze storm thunder lightning sun sunshine sunrise sunset
  moon moonlight star starlight sky planet comet shadow sunbeam dew wave tide foam bubble ripple echo/echoes spark flame fire
  smoke ash/ashes
`);

/** People that a hero can meet. */
export const PEOPLE = list(`
  baker farmer teacher doctor nurse dentist gardener painter singer dancer sailor captain pirate fisherman/fishermen
  firefighter policeman/policemen postman/postmen driver pilot astronaut builder carpenter plumber tailor shoemaker blacksmith
  cook chef waiter shopkeeper librarian musician drummer clown magician wizard witch/witches fairy/fairies elf/elves giant
  king queen prince princess/princesses knight guard hunter shepherd miller beekeeper toymaker clockmaker explorer inventor
  scientist neighbor stranger traveler mayor judge coach/coaches lifeguard zookeeper mechanic barber
`);

/** Parts of bodies and houses, times and ideas: nouns that a sentence can mention in passing. */
export const OTHERS = list(`
  hand finger thumb arm elbow shoulder leg knee foot/feet toe head face eye ear nose mouth cheek chin lip tongue tooth/teeth
  hair neck back tummy/tummies heart bone skin tail paw claw wing beak fur whisker horn hoof/hooves trunk mane shell scale
  house home room door window wall floor roof ceiling chimney stair step gate fence corner shelf/shelves drawer closet
  cupboard table chair bench/benches stool sofa couch/couches bed cradle crib desk oven stove sink faucet bathtub fireplace
  morning afternoon evening night day week month year birthday holiday winter summer autumn springtime weekend minute hour
  moment dream wish/wishes idea secret surprise promise story/stories song dance game trick joke riddle race contest prize adventure
  journey trip picnic party/parties lesson question answer word name voice sound noise whisper laugh smile tear hug kiss/kisses
  color shape circle triangle line dot stripe spot number letter page chapter alphabet music rhythm tune melody/melodies
  team friend friendship family/families brother sister cousin twin baby/babies parent grandparent uncle aunt classmate
  kindness courage patience trouble mistake accident mess/messes rule turn chance luck magic spell power strength speed
  plan list recipe drawing map footprint trail track clue mystery/mysteries problem hole ditch/ditches pile bunch/bunches row
  bus/buses car van plane airplane helicopter jet ship ferry/ferries submarine taxi subway motorcycle ambulance crane bulldozer
`);

/** Nouns without a plural. */
export const UNCOUNTED: ReadonlySet<string> = new Set(
  list(`glue tape scissors yarn bread toast jam honey sugar corn lettuce spinach celery rice bacon ham cheese butter cream milk
  yogurt juice lemonade cocoa tea water soup stew pudding jelly popcorn cereal oatmeal porridge spaghetti chocolate squash cabbage
  syrup cinnamon vanilla ginger gingerbread sherbet custard fudge caramel grass ivy sand mud dirt dust clay snow ice frost hail
  rain fog mist wind thunder lightning sunshine moonlight starlight dew foam smoke fire hair fur skin kindness courage patience
  trouble luck magic music strength speed friendship countryside seaside springtime home cloth thread`),
);

/** All nouns, each once. */
export const NOUNS: readonly string[] = [
  ...new Set([...OBJECTS, ...ANIMALS, ...PLACES, ...FOODS, ...NATURE, ...PEOPLE, ...OTHERS].map(singular)),
];

const IRREGULAR = new Map(
  [...OBJECTS, ...ANIMALS, ...PLACES, ...FOODS, ...NATURE, ...PEOPLE, ...OTHERS]
    .filter((entry) => entry.includes("/"))
    .map((entry) => entry.split("/") as [string, string]),
);

/** The word of a list entry without its plural. */
export function singular(entry: string): string {
  const slash = entry.indexOf("/");
  return slash < 0 ? entry : entry.slice(0, slash);
}

/** "fox" → "foxes"; a word without plural stays as it is. */
export function plural(noun: string): string {
  return UNCOUNTED.has(noun) ? noun : (IRREGULAR.get(noun) ?? `${noun}s`);
}
