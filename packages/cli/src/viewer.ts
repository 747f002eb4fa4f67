/** The viewer of this folder's runs, as a function that a server carries. */
import { UserError } from "@mm/run";
import { modelPlaces, openForView, versionOf } from "./view-models.js";

export interface ViewerChoice {
  /** Folder of the runs. */
  runs: string;
  /** Runs or files that come first, wherever they are. */
  named: readonly string[];
  dataset?: string | undefined;
  onBuild?: () => void;
}

/** Models that stay open; the one that was not used for longest makes room. */
const OPEN_AT_ONCE = 3;
/** Milliseconds that a model without place keeps its weights: questions to it may be under way. */
const LINGER = 60_000;

export async function createRunViewer({ runs, named, dataset, onBuild }: ViewerChoice) {
  const { buildPage, createViewer, LocalInspector } = await import("@mm/view");
  const page = await buildPage(onBuild === undefined ? {} : { onBuild });
  const open = new Map<string, { version: string; inspector: InstanceType<typeof LocalInspector> }>();
  const places = () => modelPlaces(runs, named);
  return createViewer({
    page,
    runs,
    models: () => places().map(({ id, name, kind }) => ({ id, name, kind })),
    async open(id) {
      const place = places().find((each) => each.id === id);
      if (place === undefined) throw new UserError(`Expected a model that is here, found ${id}.`);
      const version = versionOf(place);
      const known = open.get(id);
      open.delete(id);
      const kept = known?.version === version ? known : undefined;
      if (kept === undefined && known !== undefined) disposeLater(known.inspector);
      const entry = kept ?? { version, inspector: new LocalInspector({ id, ...openForView(place.path, dataset) }) };
      open.set(id, entry);
      for (const [oldest, { inspector }] of open) {
        if (open.size <= OPEN_AT_ONCE) break;
        disposeLater(inspector);
        open.delete(oldest);
      }
      return entry.inspector;
    },
  });
}

/** The same, made when it is first asked for: most servers are never looked at. */
export function lazyRunViewer(choice: ViewerChoice): (request: Request) => Promise<Response> {
  let viewer: ReturnType<typeof createRunViewer> | undefined;
  return async (request) => {
    viewer ??= createRunViewer(choice);
    return (await viewer)(request);
  };
}

function disposeLater(inspector: { dispose(): void }): void {
  setTimeout(() => inspector.dispose(), LINGER).unref();
}
