/** First names, with the pronouns that a story uses for them. */
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const GIRLS = list(`
  Ada Agnes Aisha Alba Alice Alma Amara Amelia Amina Amy Ana Anika Anna Annie April Aria Asha Astrid Aurora Ava Ayla Bea Bella
  Beth Bianca Billie Bonnie Bree Bridget Camila Cara Carla Carmen Celia Chloe Clara Cleo Cora Daisy Dalia Dana Daria Delia Dina
  Dora Edie Eden Elena Eliza Ella Ellie Elsa Elsie Emi Emilia Emma Erica Esme Esther Eva Eve Faith Farah Fatima Fay Fern Fiona
  Flora Frida Gemma Georgia Gia Gina Gloria Grace Greta Gwen Hana Hanna Harriet Hazel Heidi Helen Holly Hope Ida Ines Ingrid
  Irene Iris Isla Ivy Jade Jana Jane Jasmine Jenny Jill Joan Josie Joy Julia June Kaia Kara Kate Katie Keiko Kiki Kira Lara Laura
  Leah Leila Lena Leni Lia Lila Lily Lina Linda Lisa Liv Lola Lottie Lucia Lucy Luna Lupe Lydia Mabel Maeve Maggie Maia Mara
  Maria Marie Marta Mary Matilda Maya Meera Mei Mia Mila Millie Mimi Mina Minnie Mira Molly Mona Nadia Nancy Naomi Nell Nia Nina
  Noor Nora Odette Olga Olive Olivia Opal Pam Paula Pearl Penny Petra Pia Pippa Polly Poppy Priya Rachel Rania Rhea Rita Rosa Rose
  Rosie Ruby Ruth Sada Sadie Sally Samira Sara Selma Sia Signe Sofia Sonia Stella Sue Suki Susie Tala Tara Tess Thea Tilda Tina
  Uma Una Vera Vida Viola Wanda Willa Wren Xenia Yara Yasmin Yoko Yuki Zara Zelda Zia Zoe Zora
`);

export const BOYS = list(`
  Aaron Abel Adam Ahmed Aidan Albert Alec Alfie Ali Amir Amos Anders Andy Anton Archie Arlo Arthur Asher Ash Axel Bai Barney
  Basil Ben Benji Bill Billy Bobby Bruno Caleb Carl Carlos Casper Charlie Clive Cody Colin Conor Cyrus Dan Danny Dave David
  Dean Dexter Diego Dinesh Dominic Drew Duncan Dylan Eddie Edgar Eli Elias Elliot Emil Enzo Eric Ethan Evan Ezra Felix Finn Floyd
  Frank Fred Freddie Gabe Gary George Gino Glen Gus Hank Hans Harry Hassan Hector Henry Hugo Ian Igor Isaac Ivan Jack Jacob Jake
  Jamal James Jasper Jay Jed Jerry Jesse Jim Jimmy Jin Joe Joel John Johnny Jonah Jonas Jose Josh Juan Jude Julian Kai Kamal Karl
  Ken Kenji Kevin Khalid Kofi Kurt Lars Leo Leon Levi Liam Lionel Louie Lucas Luis Luke Mac Malik Marco Mario Mark Martin Marvin
  Mateo Matt Max Micah Mike Miles Milo Mo Moses Nate Ned Neil Nico Noah Nolan Oliver Omar Oscar Otis Otto Owen Pablo Patrick Paul
  Pedro Percy Pete Peter Phil Quinn Rafi Raj Ralph Ravi Ray Remy Rex Ricky Rob Robin Rocco Roger Rory Ross Roy Rufus Sam Samir
  Sammy Saul Scott Sean Seth Sid Simon Sol Stan Steve Sven Tariq Ted Teddy Theo Tim Timmy Toby Todd Tom Tommy Tony Troy Tyler
  Vince Victor Vikram Wally Walter Will Willie Wyatt Yusuf Zac Zane Zeke Ziggy
`);

/** Names for animals, which stories call "he" or "she" by chance. */
export const PETS = list(`
  Acorn Bandit Biscuit Blossom Bongo Boots Bramble Bubbles Buddy Button Caramel Checkers Chip Clover Coco Cookie Cricket Dash Dottie
  Dusty Ember Feather Fidget Flicker Flip Fluff Freckle Fudge Fuzzy Ginger Gizmo Goldie Hobo Honey Inky Jelly Jingle Kipper Ladybird
  Lucky Marble Maple Mocha Moon Muffin Mumble Nibble Nugget Nutmeg Oreo Patch Peanut Pebble Pepper Pickle Pip Pogo Puddle Puff Pumpkin
  Ripple Rusty Scout Shadow Skip Smudge Snowball Socks Sparky Speckle Spot Sprout Squeak Star Storm Sunny Tiger Toffee Truffle Tumble
  Turbo Twig Velvet Waddle Waffle Whiskers Wiggle Wink Zigzag Zippy
`);
