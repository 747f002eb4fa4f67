/** As much of Jasmine as TF.js's tests use: suites, hooks, expectations, spies. Suites are collected, then run in order. */
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(import.meta.url);

class Suite {
  tests = [];
  suites = [];
  before = { all: [], each: [] };
  after = { all: [], each: [] };

  constructor(name, parent) {
    this.name = name;
    this.parent = parent;
  }
  get path() {
    return this.parent === undefined ? [] : [...this.parent.path, this.name];
  }
}

export const root = new Suite("");
let current = root;

/** Typed arrays of another class with the same numbers are different; class instances compare by their fields. */
function equal(a, b) {
  if (b !== null && typeof b === "object" && typeof b.asymmetricMatch === "function") return b.asymmetricMatch(a);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => equal(value, b[i]));
  return isDeepStrictEqual(a, b);
}

const show = (value) => {
  try {
    return JSON.stringify(value)?.slice(0, 120) ?? String(value);
  } catch {
    return String(value);
  }
};

/** Throws unless calling `work` throws an error that fits: a class, a message, a pattern. */
function thrown(work, ...wanted) {
  try {
    work();
  } catch (error) {
    return fits(error, ...wanted);
  }
  return false;
}
function fits(error, ...wanted) {
  return wanted.every((want) => {
    if (want === undefined) return true;
    if (typeof want === "function") return error instanceof want || error?.name === want.name;
    if (want instanceof RegExp) return want.test(error?.message ?? String(error));
    return (error?.message ?? String(error)) === String(want?.message ?? want);
  });
}

const matchers = {
  toBe: (a, b) => Object.is(a, b) || a === b,
  toEqual: equal,
  toBeNull: (a) => a === null,
  toBeDefined: (a) => a !== undefined,
  toBeUndefined: (a) => a === undefined,
  toBeTruthy: Boolean,
  toBeFalsy: (a) => !a,
  toBeTrue: (a) => a === true,
  toBeFalse: (a) => a === false,
  toBeNaN: Number.isNaN,
  toBeCloseTo: (a, b, digits = 2) => Math.abs(a - b) < 0.5 * 10 ** -digits,
  toBeGreaterThan: (a, b) => a > b,
  toBeGreaterThanOrEqual: (a, b) => a >= b,
  toBeLessThan: (a, b) => a < b,
  toBeLessThanOrEqual: (a, b) => a <= b,
  toContain: (a, b) => (typeof a === "string" ? a.includes(b) : [...a].some((value) => equal(value, b))),
  toMatch: (a, b) => (b instanceof RegExp ? b.test(a) : a.includes(b)),
  toThrow: thrown,
  toThrowError: thrown,
  toHaveBeenCalled: (spy) => spy.calls.count() > 0,
  toHaveBeenCalledTimes: (spy, count) => spy.calls.count() === count,
  toHaveBeenCalledWith: (spy, ...args) => spy.calls.all().some((call) => equal(call.args, args)),
};

function expectation(actual, negated) {
  const api = { nothing() {} };
  for (const [name, matches] of Object.entries(matchers)) {
    api[name] = (...expected) => {
      if (Boolean(matches(actual, ...expected)) === negated) {
        const found = typeof actual === "function" ? "" : ` ${show(actual)}`;
        throw new Error(`expected${found} ${negated ? "not " : ""}${name} ${expected.map(show).join(", ")}`);
      }
    };
  }
  return api;
}
const expect = (actual) => Object.assign(expectation(actual, false), { not: expectation(actual, true) });

function expectAsync(promise) {
  const rejected = async (...wanted) => {
    const outcome = await Promise.resolve(promise).then(
      () => undefined,
      (error) => ({ error }),
    );
    if (outcome === undefined || !fits(outcome.error, ...wanted))
      throw new Error("expected the promise to be rejected");
  };
  return {
    toBeRejected: rejected,
    toBeRejectedWithError: rejected,
    toBeRejectedWith: rejected,
    toBeResolved: async () => void (await promise),
    toBeResolvedTo: async (value) => expect(await promise).toEqual(value),
  };
}

let restore = [];
function createSpy(original) {
  let behaviour = () => undefined;
  const calls = [];
  const spy = function (...args) {
    calls.push({ args, object: this });
    return behaviour.apply(this, args);
  };
  spy.calls = {
    count: () => calls.length,
    all: () => calls,
    first: () => calls[0],
    mostRecent: () => calls[calls.length - 1],
    argsFor: (i) => calls[i].args,
    reset: () => calls.splice(0),
  };
  const chain = (next) => {
    behaviour = next;
    return spy;
  };
  spy.and = {
    callThrough: () => chain(original),
    callFake: (fake) => chain(fake),
    returnValue: (value) => chain(() => value),
    returnValues: (...values) => chain(() => values.shift()),
    throwError: (error) =>
      chain(() => {
        throw error;
      }),
    stub: () => chain(() => undefined),
  };
  return spy;
}
function spyOn(object, method) {
  const original = object[method];
  const spy = createSpy(original);
  object[method] = spy;
  restore.push(() => {
    object[method] = original;
  });
  return spy;
}

const sameMembers = (sample) => ({
  asymmetricMatch: (other) =>
    other.length === sample.length && sample.every((value) => other.some((candidate) => equal(candidate, value))),
});

export const jasmine = {
  DEFAULT_TIMEOUT_INTERVAL: 20000,
  createSpy: (_name, original) => createSpy(original),
  arrayWithExactContents: sameMembers,
  any: (type) => ({ asymmetricMatch: (other) => other?.constructor === type || other instanceof type }),
  getEnv: () => ({ configuration: () => ({ specFilter: () => true }), configure() {} }),
  addMatchers() {},
};

const describe = (name, define) => {
  const suite = new Suite(name, current);
  current.suites.push(suite);
  current = suite;
  try {
    define();
  } finally {
    current = suite.parent;
  }
};
const it = (name, run) => current.tests.push({ name, run });
const switchedOff = "switched off in TF.js itself";

/** Puts Jasmine's functions where the tests look for them. */
export function install() {
  Object.assign(globalThis, {
    jasmine,
    describe,
    it,
    expect,
    expectAsync,
    spyOn,
    fdescribe: describe,
    fit: it,
    xit: (name) => current.tests.push({ name, skip: switchedOff }),
    xdescribe: (name) => current.tests.push({ name, skip: switchedOff }),
    beforeAll: (hook) => current.before.all.push(hook),
    beforeEach: (hook) => current.before.each.push(hook),
    afterAll: (hook) => current.after.all.push(hook),
    afterEach: (hook) => current.after.each.push(hook),
    fail: (message) => {
      throw new Error(message ?? "failed");
    },
    requireForTests: Object.assign((name) => (name.includes("jasmine") ? { core: () => jasmine } : require(name)), {
      resolve: require.resolve,
    }),
  });
}

/** Calls a hook or a test, which may return a promise or take a callback. */
function call(work) {
  if (work.length === 0) return work();
  return new Promise((resolve, reject) => {
    const done = Object.assign((error) => (error ? reject(error) : resolve()), { fail: reject });
    Promise.resolve(work(done)).catch(reject);
  });
}

const chainOf = (suite) => (suite === undefined ? [] : [...chainOf(suite.parent), suite]);

/** Runs what was collected; `report` gets every result. */
export async function run({ report, suite = root }) {
  const failing = { error: undefined };
  try {
    for (const hook of suite.before.all) await call(hook);
  } catch (error) {
    failing.error = error;
  }
  for (const test of suite.tests) {
    const path = [...suite.path, test.name];
    if (test.skip !== undefined) {
      report({ path, outcome: "skipped", reason: test.skip });
      continue;
    }
    try {
      if (failing.error !== undefined) throw failing.error;
      for (const outer of chainOf(suite)) for (const hook of outer.before.each) await call(hook);
      try {
        await call(test.run);
      } finally {
        for (const outer of chainOf(suite).reverse()) for (const hook of outer.after.each) await call(hook);
        for (const undo of restore.reverse()) undo();
        restore = [];
      }
      report({ path, outcome: "passed" });
    } catch (error) {
      report({ path, outcome: "failed", error });
    }
  }
  for (const inner of suite.suites) await run({ report, suite: inner });
  for (const hook of suite.after.all) await call(hook);
}
