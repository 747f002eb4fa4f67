/**
 * The sentences of the stories: for each part of a story its alternatives, and the plots, each a way from wanting
 * something to having it, or not.
 */
export const OPENINGS = [
  "[once upon a time|one day|long ago|a long time ago|one sunny morning|one quiet evening|on a {quality} day|in a faraway place|in a small village|one {quality} winter|one summer], there [was|lived] a {trait} {kind} named {hero}.",
  "{hero} was a {trait} {kind} who lived [near|beside|behind|next to|not far from] the {place}.",
  "[there once was|there was once] a {kind} called {hero}, and everybody said that {he} was very {trait}.",
  "[in|deep in|at the edge of|close to] the {place} lived a [little|young|small] {kind}. {his} name was {hero}.",
  "the [sun|moon|wind|rain] [woke|greeted|surprised] {hero} early that [morning|day]. {hero} was a {trait} {kind}.",
  "everyone in the {quality} {somewhere} knew {hero}, the {trait} {kind}.",
  "it was a {quality} [morning|afternoon|evening|day] when {hero}, a {trait} {kind}, [went|walked|ran|came] to the {place}.",
];

export const LOVES = [
  "{he} loved to {verb} [more than anything|every day|all day long|with {his} friends|in the {place}].",
  "[every|each] [morning|day|afternoon] {he} {verbed} [until lunch|in the {place}|and {activityed}|with a {quality} {object}].",
  "{hero} [liked|wanted] to {verb}, and {he} was never [tired of|done with] {verbing}.",
  '"nobody {verbs} like {hero}!" said {his} {elder}. {he} {verbed} [{adverb}|as {adverb} as a {animal}] and also liked to {activity}.',
  '{his} {elder} [often|always|sometimes] said, "{hero}, you {verb} like a {quality} {animal}!"',
  "when {he} was [happy|bored|alone|sad], {he} began to {verb}, because {verbing} made {him} feel {feeling}.",
];

export const FRIENDS = [
  "{his} best friend was {friend}, a [little|young|{anyTrait}] {friendKind}.",
  "{he} had a friend, a {friendKind} named {friend}, who {activityed} with {him} [every day|all the time|after school].",
  "{friend} the {friendKind} lived next door, and the two [were always together|shared everything|played in the {somewhere}].",
  "one day {he} met {friend}, {anyTrait} and {anyTrait}, a {friendKind} from the {somewhere}. they became friends [at once|very soon|right away].",
];

/** Sentences that paint the place; drawn for colour. */
export const COLOURS = [
  "the {place} was full of {objects} and {animals}.",
  "there were {quality} {natures} and {quality} {foods} everywhere.",
  "[some|a few|many] {people} were {activitying} near the {somewhere}.",
  "a {animal} {activityed} [past|by|away], and a {quality} {nature} [shone|stood|lay] in the {place}.",
  "it smelled of {foods} and {mass}.",
  "far away, a {person} {actioned} a {object} {adverb}.",
  "the {other} [felt|looked|seemed] {anyAdjective}, and the {nature} was {more} than before.",
  "it was the {most} [day|place|{nature}] that {hero} had ever seen.",
  "{he} counted [two|three|four|five|six|seven|eight|nine|ten|eleven|twelve] {animals} and [two|three|four|five|twenty|a hundred] {others}.",
  "somebody was {actioning} {objects} in one of the {places}.",
  "the {animal} {activitys} and the {person} {actions} the {object}, {he} thought.",
];

export const HINTS = [
  'that morning {his} {elder} had given {him} {aKeepsake}. "keep it," {elderHe} said. "you never know [what it is good for|when you will need it]." {hero} put the {keepsake} in {his} [pocket|bag].',
  "on the way {he} found {aKeepsake} [on the ground|under a {nature}|beside the road] and took it along, although nobody needed a {keepsake} that day.",
  '{hero} always carried {aKeepsake}. {friend} laughed at it, but {hero} said, "one day this {keepsake} will help us."',
];

export const PAYOFFS = [
  "then {he} remembered the {keepsake}! with it, everything became easy.",
  '"the {keepsake}!" [shouted|cried|called] {hero}. it was just what they needed, exactly as {he} had said.',
  "{hero} [reached for|took out|held up] the {keepsake}. now {he} knew why {he} had kept it.",
];

export const CONFLICTS = [
  'but {friend} wanted the {noun} too. "it is mine!" {friendHe} [shouted|cried]. "no, mine!" said {hero}. they [pulled|argued|fought] until both of them were {feeling}.',
  "{hero} and {friend} began to quarrel about who could {action} the {noun} first. {friend} was so angry that {friendHe} {activityed} away.",
  '"you never {activity} with me," said {friend}. "you only think about your {noun}!" {hero} felt {feeling}, and neither of them [talked|spoke] for a long time.',
];

export const PEACE = [
  '{hero} went to {friend} and said, "I am sorry." {friend} [hugged|forgave] {him}, and they were friends again.',
  'at last {friend} came back. "let us not fight," {friendHe} said, and {hero} agreed.',
];

export const DIALOGUES = [
  '"what are you [doing|looking for|thinking about]?" asked {friend}. "the {noun}," said {hero}. "I [want|need] it so much." "then let me help you," said {friend}.',
  '"{friend}, do you [know|see|remember] {aThing}?" asked {hero}. "[yes|no|maybe]," answered {friend}. "ask the {stranger}!"',
  '"are you {feeling}?" asked {his} {elder}. "[yes|a little|no]," said {hero}, "I only think of the {noun}." "be {anyTrait}," said {elderHe}, "and it will be fine."',
  '"can we {activity} there?" asked {friend}. "first we {action} the {noun}," said {hero}, "and then we {activity} together."',
  '"please," said {hero}, "tell me [where|how|why]." the {stranger} smiled. "only if you {verb} for me," {strangerHe} said. so {hero} {verbed}, and the {stranger} laughed and clapped.',
];

export const TWISTS = [
  "but then something unexpected happened: the {stranger} was really {his} {elder} in {aCostume}! everybody laughed.",
  "suddenly the {noun} began to {activity}. it was not a {noun} at all, but a {quality} {animal} in disguise!",
  "to {his} surprise, there was not one {noun} but [two|three|a hundred|many] {nouns}, enough for everyone in the {place}.",
  "and guess what? {friend} had known it all the time and had planned a surprise party for {hero}!",
  "then {hero} opened {his} eyes. had it all been a dream? but there, beside {his} bed, was the {thing}.",
];

export const CLOSINGS = [
  "from that day on, {hero} and {friend} {verbed} together in the {place} [every day|whenever they could|and were never apart], and the {noun} was always with them.",
  "that night {hero} went to bed {feeling} and [dreamed|thought] of the {thing}.",
  '{hero} hugged {his} {elder} and said, "This was the best day ever." and the {noun} [stood|lay] beside {his} bed.',
  "and whenever {he} {verbed} again, {hero} thought of {friend}, the {stranger} and the {thing}.",
  "{hero} and {friend} went home [hand in hand|happily|together|before dark], {adverb} and {feeling}.",
];

export const SAD_CLOSINGS = [
  "{hero} never saw the {noun} again. {he} went home {feeling} and cried.",
  "so {hero} sat alone in the {place}, without the {noun} and without {friend}, and {verbed} no more.",
  "it was too late. the {thing} was gone for ever, and {hero} was very {feeling}.",
  "{friend} did not come back, and the {noun} stayed broken. that was a sad day for {hero}.",
];

export interface Plot {
  readonly name: string;
  /** The wish or the trouble. */
  readonly want: readonly string[];
  /** What stands in the way. */
  readonly obstacle: readonly string[];
  /** What the hero tries. */
  readonly attempt: readonly string[];
  /** How it ends well. */
  readonly resolution: readonly string[];
  /** How it ends badly. */
  readonly failure: readonly string[];
  /** What one can learn from it. */
  readonly morals: readonly string[];
}

export const PLOTS: readonly Plot[] = [
  {
    name: "lost",
    want: [
      "{hero} had {aThing} that {he} loved very much. but one day it was gone!",
      "one [day|morning] {hero} could not find {his} {thing}. {he} had {actioned} it only yesterday.",
      '{his} {thing} was [missing|lost]. "where is my {noun}?" cried {hero}.',
    ],
    obstacle: [
      "{he} looked [under|behind|inside] the {object}, and in every {other}, but there was no {noun}.",
      "{he} searched the whole {place}, from the {nature} to the {somewhere}, but found only {aQualityObject}.",
      "the {place} was {quality} and {quality}, and it was hard to see anything as small as a {noun}.",
    ],
    attempt: [
      "{friend} helped {him}. they asked a {animal}, a {person} and a {animal}, but nobody had seen it.",
      "then {he} saw [tracks|footprints] that led to the {goal}. {hero} and {friend} followed them {adverb}.",
      '"think," said {friend}. "where did you {verb} last?" {hero} remembered: it was in the {goal}!',
    ],
    resolution: [
      'there, in the {goal}, [was|lay] the {thing}! a {stranger} had found it and kept it safe. "thank you!" said {hero}.',
      "and in the middle of the {goal} {he} found {his} {noun}, a little {quality} but whole. {hero} was so {feeling} that {he} {verbed}.",
    ],
    failure: [
      "but in the {goal} they found only a piece of the {noun}. a {animal} had {actioned} it.",
      "the {stranger} had already sold the {noun}, and nobody knew to whom.",
    ],
    morals: [
      "take care of the things you love.",
      "friends find together what one alone can not find.",
      "never give up looking.",
    ],
  },
  {
    name: "wish",
    want: [
      "one day, {he} saw {aThing} in the {goal}. {he} wished for nothing more than that {noun}.",
      '{hero} had always wanted {aThing}. "if only I had a {noun}," {he} sighed, "I would {verb} all day."',
      "at the {goal}, a {stranger} had {aThing}. {hero} could not stop looking at the {noun}.",
    ],
    obstacle: [
      "but it cost [five|seven|ten|twenty|a hundred] coins, and {hero} had only [one|two|three].",
      '"you may have it," said the {stranger}, "if you bring me {aQualityFood} and [two|three|four] {objects}."',
      '{his} {elder} shook {elderHis} head. "first you must learn to wait," {elderHe} said.',
    ],
    attempt: [
      "so {hero} worked hard. {he} {actioned} the {objects} for the {person} and {actioned} the {foods} for the {person}.",
      "every day {he} helped in the {somewhere} and saved {his} coins in {aQualityObject}.",
      "{friend} gave {him} [a coin|a {quality} {object}|some {mass}] to help. together they {activityed} and worked until the {nature} [came out|was gone].",
    ],
    resolution: [
      "after [three|five|seven|many] days {he} had enough. the {stranger} gave {him} the {thing}, and {hero} carried it home {adverb}.",
      "the {stranger} was so {feeling} about {his} work that {strangerHe} gave {him} the {noun} as a present.",
    ],
    failure: [
      "but when {he} came back to the {goal}, somebody else had bought the {noun}.",
      "{he} took the {noun} without asking. the {stranger} was angry and sent {him} away, and it broke on the way home.",
    ],
    morals: [
      "good things come to those who wait.",
      "hard work makes a wish come true.",
      "ask before you take something.",
    ],
  },
  {
    name: "fear",
    want: [
      "but {hero} was afraid of one thing: {aThing}. whenever {he} saw a {noun}, {he} {activityed} away.",
      "{hero} was scared of the {goal}, because people said that {aThing} lived there.",
      'at night {he} heard a {quality} sound. "it is the {thing}!" {he} whispered, and {his} knees shook.',
    ],
    obstacle: [
      'one day {friend} had to go to the {goal}, where the {noun} was. "please come with me," {friendHe} said.',
      "{his} ball rolled into the {goal}, right beside the {noun}.",
      "the way home led through the {goal}, past the {noun}, and it was getting dark.",
    ],
    attempt: [
      "{hero} took a deep breath. {he} went one step, then another, and held the hand of {friend}.",
      '{his} {elder} said, "Being brave means to be afraid and to {verb} anyway." so {hero} went on.',
      "{he} sang a {quality} song and {verbed} a little, and that made {him} less {feeling}.",
    ],
    resolution: [
      "and when {he} stood before the {noun}, it was not {anyAdjective} at all. it was only {more} than {he} had thought, and even {quality}.",
      'the {noun} turned out to be {anyTrait}. {hero} laughed. "I am not afraid of the {noun} any more!" {he} said.',
    ],
    failure: [
      "but then the {nature} made a loud noise. {hero} ran away and left {friend} alone with the {noun}.",
      "{he} closed {his} eyes, stumbled over a {object} and fell into the mud, and the {noun} scared everybody.",
    ],
    morals: [
      "being brave means trying although you are afraid.",
      "things are often less scary when you look at them.",
      "together we are braver.",
    ],
  },
  {
    name: "share",
    want: [
      "for {his} birthday {hero} got {aThing}. it was the {most} {noun} in the whole {place}.",
      "{hero} found {aThing} in the {goal} and took it home.",
      "{his} {elder} had made {aThing} for {him}. {hero} showed the {noun} to everyone.",
    ],
    obstacle: [
      '"may I {action} it too?" asked {friend}. "no," said {hero}, "it is only for me."',
      "{friend} had nothing to {activity} with and looked {feeling}, but {hero} did not want to share the {noun}.",
      "the {animals} and the {people} came to see the {noun}, but {hero} hid it behind the {object}.",
    ],
    attempt: [
      "{he} tried to {verb} alone with the {noun}, but it was no fun. the {other} was too quiet.",
      "soon {hero} felt {feeling}. {he} saw how {friend} {activityed} alone in the {somewhere}.",
      "{his} {elder} told {him} a story about a {anyTrait} {animal} who kept all {foods} for itself and had no friends.",
    ],
    resolution: [
      'so {hero} brought the {noun} to {friend}. "let us {action} it together," {he} said, and {friend} smiled.',
      "{hero} gave the {noun} to {friend} for the whole day. {friend} was so {feeling} that {friendHe} {verbed}.",
    ],
    failure: [
      "when {hero} wanted to share at last, {friend} had found other friends, and the {noun} was broken.",
      "{he} held the {noun} so tight that it broke, and now nobody had it.",
    ],
    morals: [
      "sharing makes everything more fun.",
      "a thing is worth more when you share it.",
      "be kind, and others will be kind to you.",
    ],
  },
  {
    name: "help",
    want: [
      'on the way to the {goal}, {hero} met a {stranger}. "oh no," said the {stranger}, "I have lost my {thing}!"',
      "one day a {stranger} came to the {place}. {strangerHe} was {feeling}, because {strangerHis} {thing} was broken.",
      '"who can help me?" called the {stranger} from the {goal}. "I need {aThing}!"',
    ],
    obstacle: [
      "but the {noun} was [high up in a tree|deep under the {nature}|on the other side of the river], and nobody could reach it.",
      "all the others were too busy. the {person} {actioned} {objects}, and the {person} only {activityed}.",
      "it was {quality} and {quality} outside, and the {goal} was far away.",
    ],
    attempt: [
      '"I will help you," said {hero}. {he} took a {object} and a {object} and began to {action}.',
      "{hero} and {friend} made a plan. {friend} {actioned} the {object}, and {hero} {actioned} the {noun}.",
      "{he} tried to {action} it, then to {action} it, and then {he} {verbed}, but the {noun} did not move.",
    ],
    resolution: [
      "at last they got the {noun}. the {stranger} was {feeling} and gave them {aQualityFood} each.",
      'with the help of {friend}, {hero} brought the {thing} back. "you are so {trait}," said the {stranger}.',
    ],
    failure: [
      "but {hero} got tired and went home, and the {stranger} stayed alone without {strangerHis} {noun}.",
      "the {noun} fell down and broke into [two|three|a hundred] pieces. the {stranger} cried.",
    ],
    morals: [
      "helping others makes you happy too.",
      "even the smallest friend can be a great help.",
      "kindness comes back to you.",
    ],
  },
  {
    name: "gift",
    want: [
      "it was the birthday of {friend}, and {hero} wanted to give {friendHim} {aThing}.",
      '{his} {elder} was ill. "{aThing} would make {elderHim} happy," thought {hero}.',
      "soon it was the day of the great {other}. {hero} wanted to make {aThing} for {friend}.",
    ],
    obstacle: [
      "but {he} did not know how to make a {noun}. {he} had no {mass} and not one {object}.",
      "the first {noun} that {he} made was {anyAdjective} and {anyAdjective}. the second one broke.",
      "the shop in the {goal} had sold all its {nouns}.",
    ],
    attempt: [
      "{hero} asked the {stranger}, who showed {him} how to {action} and {action} until it looked right.",
      "{he} worked all [day|night|week], {actioning} and {actioning}, and used a {quality} {object}.",
      "{he} gathered {natures}, {objects} and {mass} from the {goal} and began again {adverb}.",
    ],
    resolution: [
      'in the end it was the {most} {noun} of all. "you made this {thing} for me?" they asked, and hugged {hero}.',
      "when the {thing} was ready, {hero} wrapped it in {quality} paper. everybody said that there was no {more} {noun} in the world.",
    ],
    failure: [
      "but on the way {he} began to {verb} and dropped the {noun}. it broke, and there was no present.",
      "{he} came too late. the party was over, and nobody saw the {noun}.",
    ],
    morals: [
      "a gift made with love is the best gift.",
      "try again when something goes wrong.",
      "it is the thought that counts.",
    ],
  },
  {
    name: "contest",
    want: [
      "there was a great contest in the {goal}: who could {verb} best would win {aThing}.",
      '"whoever {verbs} longest gets the {thing}," called the {stranger}. {hero} wanted to win the {noun}.',
      "every year there was a race to the {goal}. the prize was {aThing}.",
    ],
    obstacle: [
      "but {friend} was {more} and {more} than {hero}, and so was the {animal}.",
      '{hero} had never won anything. "you are too {anyAdjective}," said the {animal}, and the {animals} laughed.',
      "on the day of the contest {hero} felt {feeling}, and {his} {other} hurt.",
    ],
    attempt: [
      "{he} practiced every day. {he} {verbed} in the {somewhere}, {verbed} on the {other}, and {verbed} until bedtime.",
      '{his} {elder} showed {him} a trick: "{activity} {adverb}, and then {activity} like a {animal}."',
      "the contest began. {hero} {activityed} and {verbed}, while {friend} {activityed} ahead of {him}.",
    ],
    resolution: [
      "and at the end {hero} won! the {stranger} gave {him} the {thing}, and {he} shared it with {friend}.",
      "{friend} stumbled, and {hero} stopped to help {friendHim}. they came in together, and both got the {noun}.",
    ],
    failure: [
      "but {hero} tried to cheat. the {stranger} saw it, and the {noun} went to {friend}.",
      "{he} came last. the {noun} went to the {animal}, and {hero} was {feeling}.",
    ],
    morals: [
      "practice makes better.",
      "helping a friend is better than winning.",
      "never cheat, for the truth comes out.",
    ],
  },
  {
    name: "journey",
    want: [
      "a {stranger} told {hero} about {aThing} that was hidden in the {goal}. {he} wanted to find that {noun}.",
      "{hero} had an old map. it showed the way to the {thing} in the {goal}.",
      '"far away, behind the {somewhere}, there is {aThing}," said {his} {elder}. so {hero} set off.',
    ],
    obstacle: [
      "the way was long. they went past [two|three|seven] {places}, over a {somewhere} and through a {somewhere}.",
      'in the {somewhere} a {anyTrait} {animal} stood in the way. "nobody passes," it said, "who does not {verb} for me!"',
      "then came a storm. {natures} and {natures} flew through the air, and they lost the map.",
    ],
    attempt: [
      "{hero} {verbed}, and the {animal} let them pass. it even gave them a {food}.",
      "{friend} built a {object} from {natures}, and with it they crossed the {somewhere}.",
      'they asked the {stranger}, who pointed to the {nature}. "{activity} that way," {strangerHe} said.',
    ],
    resolution: [
      "and there, in the {goal}, was the {thing}, {more} than any {noun} in the world. they took it home.",
      'in the {goal} they opened a {quality} chest, and inside was the {thing}. "we did it!" said {friend}.',
    ],
    failure: [
      "but when they came to the {goal}, it was empty. somebody had taken the {noun} long ago.",
      "{hero} and {friend} got lost in the {somewhere} and had to turn back without the {noun}.",
    ],
    morals: ["the way is as good as the goal.", "with a friend no way is too long.", "who asks, finds the way."],
  },
  {
    name: "broken",
    want: [
      "{his} {elder} had {aThing} that nobody was allowed to touch. but {hero} wanted so much to {action} the {noun}.",
      "in the house of {friend} there was {aThing}. {hero} {verbed} around the {noun}, and crash! it fell down.",
      "one day {hero} borrowed the {thing} of {friend}. then {he} stumbled, and the {noun} broke.",
    ],
    obstacle: [
      "{he} hid the pieces [under the {object}|in the {goal}|behind the {nature}] and said nothing.",
      '"who {actioned} the {noun}?" asked everybody. {hero} looked at {his} feet. "it was the {animal}," {he} said.',
      "{hero} felt {feeling}. {his} tummy hurt, and {he} could not {activity}.",
    ],
    attempt: [
      "{he} tried to mend it with {mass} and a {object}, but it only got {more}.",
      '{friend} said, "You must tell the truth, even when it is hard."',
      "all night {hero} thought about the {noun}. in the morning {he} was sure what to do.",
    ],
    resolution: [
      '"it was me," said {hero}. "I am sorry about the {noun}." "thank you for telling me," said {his} {elder}, and together they mended the {thing}.',
      "{hero} told everything. nobody was angry, and the {stranger} made the {noun} as good as new.",
    ],
    failure: [
      "but {hero} said nothing, and the poor {animal} was sent away. nobody trusted {him} when it came out.",
      "{he} lied again and again, until even {friend} did not believe {him}. the {noun} stayed broken.",
    ],
    morals: [
      "always tell the truth.",
      "everybody makes mistakes, and saying sorry makes them small.",
      "an honest word is better than a hidden mess.",
    ],
  },
  {
    name: "new friend",
    want: [
      "{hero} was lonely and had nobody to {verb} with. {he} had only {his} {thing}.",
      "one day {hero} saw somebody new in the {goal}. it was {friend}, who held {aThing}.",
      "{friend} was new in the {place} and knew nobody. all {friendHe} had was {aThing}.",
    ],
    obstacle: [
      "the other {animals} did not want to {activity} with {friend}, because {friendHe} was {anyAdjective}.",
      "{hero} wanted to say hello, but {he} was too {feeling}.",
      '"go away," said a {anyTrait} {animal}. "you are not like us."',
    ],
    attempt: [
      'so {hero} took a {food} and the {noun}, went over and asked, "Do you want to {verb} with me?"',
      '{hero} and {friend} both looked at the {noun}. "do you like {nouns}?" asked {hero}. "I love {nouns}," said {friend}.',
      "they {activityed}, they {activityed}, and they shared a {food} under a {nature}.",
    ],
    resolution: [
      "soon all the {animals} came and wanted to {verb} too. {hero} and {friend} gave everyone a turn with the {noun}.",
      'in the evening {friend} gave {hero} the {noun}. "because you are my first friend here," {friendHe} said.',
    ],
    failure: [
      "but {hero} listened to the others and laughed at {friend}. {friend} took the {noun} and moved away.",
      "they quarreled about the {noun}, and both were lonely again.",
    ],
    morals: [
      "a friend can look different from you.",
      "a kind word can begin a friendship.",
      "be the first to say hello.",
    ],
  },
  {
    name: "growing",
    want: [
      '{hero} planted a seed in the {place}. "one day there will be {aThing} here," {he} said.',
      'the {stranger} gave {him} a {quality} seed. "if you care for it, you will get {aThing}," {strangerHe} said.',
      "{his} {elder} told {hero} that a {noun} can grow from [a seed|an egg|a dream|a stone]. {hero} wanted {aThing}.",
    ],
    obstacle: [
      "{he} waited one day, two days, three days, but nothing happened.",
      "first came the {nature}, then the {animals}, and almost everything was eaten.",
      '{friend} laughed. "nobody can grow a {noun}," {friendHe} said.',
    ],
    attempt: [
      "every morning {hero} gave it water, {verbed} around it and {actioned} the {natures} away.",
      "{he} sang to it, told it stories about {people} and {animals}, and kept it warm with a {object}.",
      "when it was cold, {hero} and {friend} built a little house of {natures} around it.",
    ],
    resolution: [
      "and then, one morning, there was the {thing}! it was {more} than all {nouns} that {he} knew.",
      "in the spring it opened, and there was {aThing}, just as the {stranger} had said.",
    ],
    failure: [
      "but one day {hero} forgot it, because {he} wanted to {verb}. when {he} came back, it was dry and dead.",
      "{he} was too impatient and dug it up, and so the {noun} never came.",
    ],
    morals: ["good things need time.", "take care of something every day, and it will grow.", "patience is worth it."],
  },
  {
    name: "mystery",
    want: [
      'every night there was a {quality} noise in the {goal}. "something {activitys} there," said {hero}. "it sounds like {aThing}."',
      "one morning all the {foods} in the {place} were gone, and only {aThing} lay on the ground.",
      "somebody had left {aThing} at the door of {hero}. but who?",
    ],
    obstacle: [
      "{hero} asked the {person} and the {animal}, but they only {activityed} and said nothing.",
      "the clues were strange: a {quality} {object}, some {mass} and [two|three|many] {quality} {foods}.",
      "{friend} was sure that it was the {animal}, but the {animal} had been in the {somewhere} all night.",
    ],
    attempt: [
      "that night {hero} and {friend} hid behind a {object} and waited {adverb}.",
      "{he} looked at everything with a magnifier: the {other}, the {nature}, and even the {object}.",
      '"listen!" whispered {friend}. something {activityed} in the dark, and they saw a {quality} {other}.',
    ],
    resolution: [
      'it was a small {animal} who was all alone. it had brought the {thing} as a present. "you can stay with us," said {hero}.',
      "it was the {stranger}! {strangerHe} had lost the {noun} and was looking for it. {hero} gave it back, and the mystery was solved.",
    ],
    failure: [
      "but they fell asleep, and in the morning the {noun} was gone. nobody ever found out who it was.",
      '{hero} cried "thief!" at the {stranger}, who had done nothing. {strangerHe} left the {place} and took the {noun} along.',
    ],
    morals: [
      "look closely before you decide.",
      "do not blame anyone without knowing.",
      "who is curious, learns something.",
    ],
  },
];
