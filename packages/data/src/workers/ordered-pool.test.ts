import { describe, expect, it } from "@jest/globals";
import { runOrdered } from "./ordered-pool.js";

const worker = new URL("../testing/echo-worker.js", import.meta.url);
const jobs = (times: Iterable<number>) => Array.from(times, (message) => ({ message, transfer: [] }));

describe("runOrdered", () => {
  it("gives results in the order of the jobs, however long each takes", async () => {
    const times = [40, 1, 25, 0, 3, 30, 2, 1];
    const results: number[] = [];
    for await (const result of runOrdered<number>(worker, jobs(times), 3)) results.push(result);
    expect(results).toEqual(times);
  });

  it("asks for a job only when there is room, at most two per worker", async () => {
    let asked = 0;
    let given = 0;
    let most = 0;
    function* counted() {
      for (let index = 0; index < 40; index++) {
        most = Math.max(most, ++asked - given);
        yield { message: 1, transfer: [] };
      }
    }
    for await (const _ of runOrdered<number>(worker, counted(), 2)) given++;
    expect(given).toBe(40);
    expect(most).toBeLessThanOrEqual(5);
  });

  it("fails with the worker's error, after the results that came before", async () => {
    const results: number[] = [];
    const run = async () => {
      for await (const result of runOrdered<number>(worker, jobs([1, 2, -1, 3, 4, 5, 6, 7]), 1)) results.push(result);
    };
    await expect(run()).rejects.toThrow("no time for -1");
    expect(results.length).toBeLessThanOrEqual(2);
  });

  it("ends its threads when the reader stops early, and when the jobs break", async () => {
    for await (const _ of runOrdered<number>(worker, jobs([1, 1, 1, 1, 1, 1]), 2)) break;
    function* breaking() {
      yield { message: 1, transfer: [] };
      throw new Error("the source breaks");
    }
    await expect(async () => {
      for await (const _ of runOrdered<number>(worker, breaking(), 2));
    }).rejects.toThrow("the source breaks");
  });
});
