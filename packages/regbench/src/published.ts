/**
 * What RegBench's own paper (In-Context Language Learning, Akyürek et al., ICML 2024) published: its figure's values,
 * the best configurations of its search and the space searched. Nothing here was computed by this project. Values of
 * the Memory Mosaics paper belong to the figure that draws them (@mm/figures).
 */

export interface IcllPoint {
  readonly model: string;
  readonly environments: number;
  readonly metric: "dfaAccuracy" | "totalVariation";
  /** Read by eye from the figure in its repository's notebooks; accuracy is over all positions there. */
  readonly value: number;
  /** How far off the reading may be; larger where the marker is partly hidden behind others ("~"). */
  readonly uncertainty: number;
}

const icllAccuracy = `
model                1000   2500   5000  10000  20000  40000
transformer          .545   .925   .940   .950   .955   .958
mamba                 .69   .845   .893   .911   .920   .918
retnet                .50    .80   .838   .882   .915    .92
linear-transformer    .51    .54    .81   .823      -   .915
hyena                 .58    .70   .754   .806   .845   .892
lstm                  .49   .588   .727   .787    .81   .813
h3                    .53   .652   .708   .763   .795   .834
rwkv                 .495    .49   .605    .73    .77   .828
s4d                  .528   .533   .535   .634   .742   .788`;

const icllTotalVariation = `
model                1000   2500   5000  10000  20000  40000
transformer          ~.63   .208   .175   .155   .139   .127
mamba                 .51    .37    .30   .277   .257   .263
retnet               .665   .392    .30   .265   .214   .211
linear-transformer    .63   .615    .32    .30   .255   .208
hyena                 .59    .49   .444   .393   .325   .253
lstm                  .63   .563    .46   .405    .37    .37`;

function points(metric: IcllPoint["metric"], table: string): IcllPoint[] {
  const [header, ...rows] = table.trim().split("\n");
  const sizes = header!.trim().split(/\s+/).slice(1).map(Number);
  return rows.flatMap((row) => {
    const [model, ...cells] = row.trim().split(/\s+/);
    return cells.flatMap((cell, column) => {
      if (cell === "-") return [];
      const value = Number(cell.replace("~", ""));
      return {
        model: model!,
        environments: sizes[column]!,
        metric,
        value,
        uncertainty: cell.startsWith("~") ? 0.02 : 0.01,
      };
    });
  });
}

export const icllPoints: readonly IcllPoint[] = [
  ...points("dfaAccuracy", icllAccuracy),
  ...points("totalVariation", icllTotalVariation),
];

/** What ICLL's search found best (its notebooks): layers, width, learning rate, weight decay, heads. */
export interface PublishedConfiguration {
  readonly model: string;
  readonly environments: number;
  readonly layers: number;
  readonly width: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Where the architecture has heads. */
  readonly heads?: number;
}

const configurations = `
transformer          1000   2  128  1e-4    .01  1
transformer          2500   8  128  1e-4    .1   1
transformer          5000   8  128  1e-4    .1   2
transformer          10000  8  128  1e-4    .1   2
transformer          20000  8  128  1e-4    .1   2
transformer          40000  12 128  2.5e-4  .1   2
linear-transformer   1000   4  64   2.5e-4  .1   1
linear-transformer   2500   4  128  2.5e-4  .01  1
linear-transformer   5000   8  128  2.5e-4  .1   1
linear-transformer   10000  8  128  2.5e-4  .1   1
linear-transformer   20000  8  128  2.5e-4  .1   2
linear-transformer   40000  4  256  1e-4    .1   2
retnet               1000   8  256  2.5e-4  .1   2
retnet               2500   4  64   2.5e-4  .1   1
retnet               40000  4  256  2.5e-4  .1   2
rwkv                 1000   4  256  1e-4    .01
rwkv                 2500   4  256  2.5e-4  .1
rwkv                 40000  4  128  2.5e-4  .1
hyena                1000   4  64   1e-4    .01
hyena                2500   4  128  1e-4    .01
hyena                40000  4  256  2.5e-4  .1
h3                   1000   2  128  2.5e-4  .1
h3                   2500   2  128  2.5e-4  .1
h3                   40000  4  128  2.5e-4  .1
s4d                  1000   2  128  1e-4    .1
s4d                  2500   2  128  1e-4    .01
s4d                  40000  4  128  2.5e-4  .1
lstm                 1000   2  128  2.5e-4  .1
lstm                 2500   2  256  2.5e-4  .01
lstm                 40000  2  256  2.5e-4  .1
mamba                1000   8  512  2.5e-4  .1
mamba                2500   4  512  2.5e-4  .1
mamba                40000  8  512  2.5e-4  .1`;

export const publishedConfigurations: readonly PublishedConfiguration[] = configurations
  .trim()
  .split("\n")
  .map((row) => {
    const [model, ...numbers] = row.trim().split(/\s+/);
    const [environments, layers, width, learningRate, weightDecay, heads] = numbers.map(Number);
    return {
      model: model!,
      environments: environments!,
      layers: layers!,
      width: width!,
      learningRate: learningRate!,
      weightDecay: weightDecay!,
      ...(heads === undefined ? {} : { heads }),
    };
  });

/** The search space of ICLL's Table 3; Memory Mosaics used the same. */
export const publishedSearchSpace = {
  width: [64, 128, 256, 512, 1024],
  layers: [1, 2, 4, 8, 12],
  heads: [1, 2, 4],
  epochs: [200, 400],
  learningRate: [1e-4, 2.5e-4],
  weightDecay: [0.01, 0.1],
} as const;
