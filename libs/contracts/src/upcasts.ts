type Data = Readonly<Record<string, unknown>>;

/** Turns what one version of a schema allowed into what the next one asks for. Pure, and without a guess: new is null. */
type Upcast = (data: Data) => Data;

/**
 * Event type -> schema version -> the data as the next version has it. A type's current version is the one after its
 * last entry. The log keeps the text it was given; whoever reads an event sees the current version.
 */
export const UPCASTS: Readonly<Record<string, Readonly<Record<number, Upcast>>>> = {
  // Version 1 knew the kind of a forge only, so all of a kind shared one space of delivery ids: its name stands for that.
  'delivery.accepted': { 1: (data) => data },
  'delivery.ignored': { 1: (data) => data },
  'run.planned': { 1: (data) => ({ ...data, inputsDigest: null }) },
  'run.planning-failed': { 1: (data) => ({ ...data, inputsDigest: null }) },
  'scaling.decided': { 1: (data) => ({ ...data, inputs: null }) },
};

/** Counted once: a replay asks for every event of a log. */
const CURRENT_VERSIONS: ReadonlyMap<string, number> = new Map(
  Object.entries(UPCASTS).map(([type, steps]) => [type, 1 + Object.keys(steps).length]),
);

/** The version new events of a type are written in. */
export function schemaVersionOf(type: string): number {
  return CURRENT_VERSIONS.get(type) ?? 1;
}

/** What upcasting looks at. */
export interface VersionedEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Data;
}

/**
 * The event in the current version of its type. A version that this release has never heard of has no meaning here:
 * then the answer is the problem, which names type and version.
 */
export function upcast<E extends VersionedEvent>(
  event: E,
): { readonly ok: true; readonly event: E } | { readonly ok: false; readonly problem: string } {
  const current = schemaVersionOf(event.type);
  if (event.schemaVersion === current) return { ok: true, event };
  let { data } = event;
  for (let version = event.schemaVersion; version < current; version += 1) {
    const step = UPCASTS[event.type]?.[version];
    if (step === undefined) return unknownVersion(event, current);
    data = step(data);
  }
  if (event.schemaVersion > current) return unknownVersion(event, current);
  return { ok: true, event: { ...event, data, schemaVersion: current } };
}

function unknownVersion({ type, schemaVersion }: VersionedEvent, current: number) {
  const known = current === 1 ? 'version 1' : `versions 1 to ${current}`;
  const problem = `${type} is recorded in schema version ${schemaVersion}, and this release knows ${known}`;
  return { ok: false as const, problem };
}
