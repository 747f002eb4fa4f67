/** The little arithmetic between rows and tables. */

/** Groups values by key; groups and their members stay in the order of first appearance. */
export function groupBy<Value>(values: Iterable<Value>, key: (value: Value) => unknown[]): Value[][] {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const name = JSON.stringify(key(value));
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n − 1); null for fewer than two values, of which nobody knows the spread. */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Names of the runs behind some rows, sorted, joined by spaces. */
export function runsOf(rows: Iterable<{ readonly run: string }>): string {
  return [...new Set([...rows].map((row) => row.run))].sort().join(" ");
}

/**
 * Spreads label positions apart by at least `gap`, each as near as may be to where it wants to be, all within the
 * limits as long as they fit.
 */
export function spread(wanted: readonly number[], gap: number, limits: readonly [number, number]): number[] {
  // Touching labels form one block, centred on the mean of what its members want.
  interface Block {
    members: number[];
    start: number;
  }
  const place = (members: number[]): Block => {
    const centred = mean(members.map((member, index) => wanted[member]! - index * gap));
    const highest = limits[1] - (members.length - 1) * gap;
    return { members, start: Math.max(limits[0], Math.min(highest, centred)) };
  };
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a]! - wanted[b]!);
  const blocks: Block[] = [];
  for (const index of order) {
    let block = place([index]);
    for (let last = blocks.at(-1); last && last.start + last.members.length * gap > block.start; last = blocks.at(-1)) {
      blocks.pop();
      block = place([...last.members, ...block.members]);
    }
    blocks.push(block);
  }
  const places = new Array<number>(wanted.length);
  for (const { members, start } of blocks) {
    for (const [index, member] of members.entries()) places[member] = start + index * gap;
  }
  return places;
}
