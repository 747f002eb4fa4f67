/**
 * Property tests draw the same examples in every run, so that a failure is never luck. `MM_TEST_SEED=7 npm test` draws
 * others.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.MM_TEST_SEED ?? 2024) });
