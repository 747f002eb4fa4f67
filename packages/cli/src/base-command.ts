import { Command, Flags, type Interfaces } from "@oclif/core";
import { createReporter, type Reporter } from "./reporter.js";

export type FlagsOf<C extends typeof Command> = Interfaces.InferredFlags<C["baseFlags"] & C["flags"]>;
export type ArgsOf<C extends typeof Command> = Interfaces.InferredArgs<C["args"]>;

/** What all commands share: `--json`, `--quiet`, one way of reporting, and errors left to `main`. */
export abstract class BaseCommand<C extends typeof Command> extends Command {
  static override enableJsonFlag = true;
  static override baseFlags = {
    quiet: Flags.boolean({ char: "q", summary: "Print results only, no progress.", helpGroup: "GLOBAL" }),
  };

  protected flags!: FlagsOf<C>;
  protected args!: ArgsOf<C>;
  /** All arguments in order, also those beyond the named ones (of commands that are not `strict`). */
  protected words!: string[];
  protected reporter!: Reporter;

  override async init(): Promise<void> {
    await super.init();
    const { args, argv, flags } = await this.parse({
      flags: this.ctor.flags,
      baseFlags: (super.ctor as typeof BaseCommand).baseFlags,
      args: this.ctor.args,
      strict: this.ctor.strict,
      enableJsonFlag: this.ctor.enableJsonFlag,
    });
    this.flags = flags as FlagsOf<C>;
    this.args = args as ArgsOf<C>;
    this.words = argv as string[];
    this.reporter = createReporter({ quiet: this.flags.quiet || this.jsonEnabled() });
  }

  /** Errors travel to `main`, which knows how each kind is shown; oclif would print some of them itself. */
  override async catch(error: Error): Promise<never> {
    this.reporter?.close();
    throw error;
  }

  override async finally(error: Error | undefined): Promise<void> {
    this.reporter?.close();
    await super.finally(error);
  }
}
