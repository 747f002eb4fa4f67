/** Adjectives that small children know, by what they can describe. */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** How somebody is. */
export const TRAITS = list(`
  brave kind gentle clever smart wise silly funny playful cheerful friendly helpful honest polite patient careful curious shy
  quiet noisy loud lively lazy sleepy hungry thirsty greedy selfish stubborn grumpy bossy naughty clumsy messy tidy neat
  busy bold fearless timid nervous proud humble generous thoughtful caring loving loyal faithful trusting creative talented
  skillful quick swift slow strong weak tiny little small big tall short young old modest jolly merry bubbly witty
  dreamy forgetful talkative chatty adventurous daring eager energetic hopeful imaginative independent obedient popular
  reliable responsible sensible serious sincere spirited sweet tough competitive fussy picky moody restless rude mean spoiled
  impatient jealous nosy bashful cautious considerate courageous determined mischievous
`);

/** How somebody feels. */
export const FEELINGS = list(`
  happy sad glad angry mad upset scared afraid frightened worried lonely excited surprised amazed bored tired confused
  embarrassed ashamed sorry guilty grateful thankful relieved calm peaceful cozy comfortable safe joyful delighted thrilled
  pleased disappointed miserable gloomy hurt homesick cross annoyed puzzled curious proud anxious hopeful content cheerful
  astonished speechless nervous weary dizzy hopeless helpless restful startled
`);

/** How a thing is. */
export const QUALITIES = list(`
  red blue green yellow orange purple pink brown black white gray golden silver colorful rainbow-colored striped spotted
  dotted plain bright dark pale shiny dull sparkly glittery glowing twinkling beautiful pretty lovely ugly plain fancy elegant
  simple new old ancient modern broken cracked torn ragged dusty dirty muddy clean spotless smooth rough bumpy soft hard fluffy
  fuzzy furry silky velvet woolly wooden metal plastic paper glass rubber leather heavy light big huge giant enormous large
  little tiny small wide narrow thick thin long short tall deep round square flat curved crooked straight pointy sharp blunt
  hot warm cool cold chilly icy frozen wet damp dry sticky slippery squishy crunchy crispy crumbly juicy sweet sour salty spicy
  bitter tasty delicious yummy fresh stale rotten smelly fragrant loud quiet noisy squeaky creaky jingly musical magical
  magic enchanted mysterious secret hidden strange odd weird special unique rare precious valuable expensive cheap
  ordinary perfect wonderful marvelous fantastic amazing incredible splendid charming cute adorable funny silly
  spooky scary creepy dangerous safe useful useless handy lucky favorite popular famous forgotten lost missing empty full
  hollow solid loose tight bent twisted tangled fragile delicate sturdy strong weak powerful fast slow spinning bouncy wobbly
  stretchy floppy fluttering painted patched knitted handmade homemade polished rusty mossy leafy grassy
  sandy snowy sunny cloudy rainy windy stormy foggy breezy shady swampy rocky steep distant nearby
`);

/** All adjectives, each once. */
export const ADJECTIVES: readonly string[] = [...new Set([...TRAITS, ...FEELINGS, ...QUALITIES])];

/** "happy" → "happily"; only for adjectives in TRAITS that end in a way that allows it. */
export function adverb(adjective: string): string {
  if (adjective.endsWith("le")) return `${adjective.slice(0, -1)}y`;
  if (adjective.endsWith("y")) return `${adjective.slice(0, -1)}ily`;
  return `${adjective}ly`;
}

/** Ways to do something. */
export const ADVERBS = [
  "brave calm careful cheerful clever curious eager gentle glad grateful happy honest joyful kind loud neat nervous patient",
  "peaceful playful polite proud quick quiet sad shy silent sleepy slow soft sudden sweet swift tender thoughtful tired warm",
  "wise bold anxious hopeful merry lazy clumsy greedy grumpy angry tearful delighted excited wild frantic stubborn skillful",
  "thankful generous cautious courageous graceful bashful dreamy hungry noisy tidy timid busy faithful loyal nice secret",
]
  .flatMap((line) => line.split(" "))
  .map(adverb);

/** The adjectives of one short syllable or in -y that compare with -er and -est. */
export function comparative(adjective: string): string {
  return `${stem(adjective)}er`;
}

export function superlative(adjective: string): string {
  return `${stem(adjective)}est`;
}

function stem(adjective: string): string {
  if (adjective.endsWith("y")) return `${adjective.slice(0, -1)}i`;
  if (adjective.endsWith("e")) return adjective.slice(0, -1);
  return /^[^aeiou]*[aeiou][bdgmnt]$/.test(adjective) ? `${adjective}${adjective.at(-1)}` : adjective;
}

/** Adjectives for comparisons: "the shiniest kite that he had ever seen". */
export const COMPARABLE = list(`
  red blue green pink brown black white gray bright dark pale shiny dull sparkly pretty lovely ugly plain fancy simple
  new old dusty dirty muddy clean smooth rough bumpy soft hard fluffy fuzzy furry silky heavy light big huge large tiny small
  wide narrow thick thin long short tall deep round flat sharp hot warm cool cold chilly icy wet damp dry sticky slippery
  squishy crunchy crispy juicy sweet sour salty tasty yummy fresh smelly loud noisy squeaky strange odd rare cute funny silly
  spooky scary creepy safe handy lucky full strong weak fast slow bouncy wobbly stretchy floppy sturdy rusty leafy
  brave kind gentle smart wise quiet lively lazy sleepy hungry greedy grumpy bossy naughty clumsy messy tidy neat busy bold
  shy proud happy sad merry jolly friendly mean rude tough young swift quick
`);
