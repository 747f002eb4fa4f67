/** Verbs that small children know. An irregular one gives its past after a slash. */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What somebody can do without anything else: "loved to ___", "began to ___". */
export const ACTIVITIES = list(`
  run/ran jump hop skip climb swim/swam dive float splash paddle row sail surf skate ski slide swing/swung spin/spun twirl
  dance sing/sang hum whistle clap cheer laugh giggle smile chuckle shout yell whisper talk chat listen read/read write/wrote
  draw/drew paint sketch color sew knit weave/wove cook bake dig/dug plant garden farm fish hunt explore wander walk hike
  march/marched stroll travel ride/rode race gallop trot crawl creep/crept sneak tiptoe hide/hid play pretend imagine dream
  think/thought wonder study learn count spell guess help share work build/built hammer fly/flew glide soar flap dart dash
  rush hurry stretch/stretched bend/bent twist roll tumble wrestle bounce wiggle wobble shake/shook shiver tremble sway rock
  rest nap sleep/slept snore yawn wake/woke eat/ate drink/drank nibble munch/munched chew lick snack feast juggle act
  perform practice exercise relax celebrate decorate camp picnic/picnicked sled garden tinker invent experiment collect gather
  gaze stare peek look watch/watched search/searched wait sit/sat stand/stood kneel/knelt lean lie/lay stay pray cry sob weep/wept
  sigh groan moan grumble complain mumble mutter growl roar bark meow purr squeak chirp tweet quack hoot buzz hiss howl
  cough sneeze sniff blush frown pout wink blink nod bow wave point
  compete win/won lose/lost fight/fought argue quarrel apologize forgive/forgave behave obey listen agree promise
  escape vanish disappear appear arrive leave/left return grow/grew bloom shine/shone glow sparkle twinkle glitter flicker
  melt freeze/froze burn drip leak flow pour rain snow fall/fell trip stumble slip sink/sank drown
`);

/** What somebody can do to a thing: "tried to ___ the kite". */
export const ACTIONS = list(`
  find/found get/got take/took bring/brought give/gave hold/held carry lift push pull drag throw/threw toss catch/caught kick hit/hit
  tap touch/touched rub pat hug kiss squeeze press pinch/pinched poke tickle scratch/scratched brush/brushed wash/washed scrub wipe
  polish/polished clean dust sweep/swept mop rinse dry fold wrap tie untie knot fasten button zip open close shut/shut lock unlock fill
  empty cover uncover bury unpack pack stack pile sort arrange hang/hung drop pick grab snatch/snatched reach/reached
  fix repair mend patch/patched glue tape nail break/broke crack smash/smashed tear/tore rip cut/cut chop slice peel grate stir mix
  shape mold carve trace copy print mark label measure weigh count compare choose/chose buy/bought sell/sold trade borrow lend/lent
  return deliver send/sent receive keep/kept save guard protect defend rescue follow chase lead/led guide show/showed teach/taught
  tell/told explain describe notice spot see/saw hear/heard smell taste feel/felt recognize remember forget/forgot know/knew
  understand/understood believe trust doubt need want love like enjoy admire adore respect miss cherish fear
  hate ignore tease scare frighten surprise amaze comfort calm soothe cheer encourage thank greet welcome invite visit meet/met
  join feed/fed water raise tame train pet
  use try test inspect examine discover hide/hid offer demand ask answer call name move turn
  shake/shook rattle ring/rang strike/struck balance steer drive/drove park load unload launch/launched tow hitch hook
  paint decorate dress undress wear/wore light/lit blow/blew plant harvest pluck crush mash spread/spread spill sprinkle sip
  swallow bite/bit gobble divide split/split double finish/finished start stop begin/began continue
  change replace improve ruin spoil damage waste
`);

/** All verbs, each once, in their base form. */
export const VERBS: readonly string[] = [...new Set([...ACTIVITIES, ...ACTIONS].map(base))];

const PASTS = new Map(
  [...ACTIVITIES, ...ACTIONS]
    .filter((entry) => entry.includes("/"))
    .map((entry) => entry.split("/") as [string, string]),
);

/** The base form of a list entry. */
export function base(entry: string): string {
  const slash = entry.indexOf("/");
  return slash < 0 ? entry : entry.slice(0, slash);
}

/** "hop" → "hopped", "run" → "ran". */
export function past(verb: string): string {
  const irregular = PASTS.get(verb);
  if (irregular !== undefined) return irregular;
  if (verb.endsWith("e")) return `${verb}d`;
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`;
  return `${doubled(verb)}ed`;
}

/** "hop" → "hopping", "bake" → "baking". */
export function progressive(verb: string): string {
  if (verb.endsWith("ie")) return `${verb.slice(0, -2)}ying`;
  if (/[^eoy]e$/.test(verb)) return `${verb.slice(0, -1)}ing`;
  if (verb === "picnic") return "picnicking";
  return `${doubled(verb)}ing`;
}

/** "hop" → "hops", "watch" → "watches". */
export function thirdPerson(verb: string): string {
  if (/(s|x|z|ch|sh)$/.test(verb)) return `${verb}es`;
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ies`;
  return `${verb}s`;
}

/** Doubles the last consonant of a short stressed end: "hop" → "hopp", "begin" → "beginn". */
function doubled(verb: string): string {
  if (DOUBLED.has(verb) || /^[^aeiou]*[aeiou][bdgklmnprt]$/.test(verb)) return `${verb}${verb.at(-1)}`;
  return verb;
}

const DOUBLED: ReadonlySet<string> = new Set(["begin", "forget", "unzip", "quit", "forgot"]);
