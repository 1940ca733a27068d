import { checkpointText, parseCheckpointText, Checkpoint, RunId, type KeyId } from '@delta-ci/contracts';
import { bundleReadme } from './bundle-procedure.ts';

/** A stretch of the log that ends in a checkpoint. */
export interface BundleSegment {
  readonly checkpoint: Checkpoint;
  /** The chain hash before the first line. */
  readonly before: string;
  /** For each record up to the checkpoint's position: its text when it is of the run, otherwise the SHA-256 of its text. */
  readonly lines: readonly string[];
}

/** What proves the records of one run, without the rest of the log. */
export interface RunBundle {
  readonly runId: RunId;
  /** The public keys that signed, in PEM. They come along for convenience: trust comes from elsewhere. */
  readonly keys: ReadonlyMap<KeyId, string>;
  readonly segments: readonly BundleSegment[];
}

/** A text of sections under headings in brackets: readable by people, and taken apart by three lines of shell. */
export function bundleText({ runId, keys, segments }: RunBundle): string {
  const parts = [bundleReadme(runId), ...section('run', runId)];
  for (const [keyId, pem] of keys) parts.push(...section(`key.${keyId}.pem`, pem.trimEnd()));
  for (const [index, { checkpoint, before, lines }] of segments.entries()) {
    const n = index + 1;
    parts.push(...section(`${n}.checkpoint`, checkpointText(checkpoint).trimEnd()));
    parts.push(...section(`${n}.signature`, checkpoint.signature));
    parts.push(...section(`${n}.before`, before));
    parts.push(...section(`${n}.chain`, lines.join('\n')));
  }
  return `${parts.join('\n')}\n`;
}

const section = (name: string, content: string): string[] => [`[${name}]`, content];

const HEADING = /^\[([0-9a-z.]+)\]$/;

/** Reads such a text. @returns a sentence when it is none */
export function parseBundle(text: string): RunBundle | string {
  const sections = sectionsOf(text);
  if (typeof sections === 'string') return sections;
  const runId = RunId.safeParse(sections.get('run')?.join('\n'));
  if (!runId.success) return 'this is no audit bundle: it does not say which run it is of';
  const segments: BundleSegment[] = [];
  for (let n = 1; sections.has(`${n}.checkpoint`); n += 1) {
    const segment = segmentIn(sections, n);
    if (segment === null) return `section ${n} of the bundle is incomplete`;
    segments.push(segment);
  }
  return segments.length === 0
    ? 'the bundle holds no checkpoint'
    : { runId: runId.data, keys: keysIn(sections), segments };
}

type Sections = ReadonlyMap<string, readonly string[]>;

function sectionsOf(text: string): Sections | string {
  const sections = new Map<string, string[]>();
  let current: string[] | null = null;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const name = HEADING.exec(line)?.[1];
    if (name === undefined) current?.push(line);
    else {
      // By hand, the later of two sections would take the place of the earlier.
      if (sections.has(name)) return `the bundle holds the section ${name} twice`;
      current = [];
      sections.set(name, current);
    }
  }
  return sections;
}

function segmentIn(sections: Sections, n: number): BundleSegment | null {
  const claim = parseCheckpointText(`${(sections.get(`${n}.checkpoint`) ?? []).join('\n')}\n`);
  const signature = sections.get(`${n}.signature`)?.join('\n');
  const before = sections.get(`${n}.before`)?.join('\n');
  const lines = sections.get(`${n}.chain`);
  const checkpoint = Checkpoint.safeParse({ ...claim, signature }).data;
  if (checkpoint === undefined || before === undefined || lines === undefined) return null;
  return { checkpoint, before, lines };
}

function keysIn(sections: Sections): Map<KeyId, string> {
  const keys = new Map<KeyId, string>();
  for (const [name, lines] of sections) {
    const keyId = /^key\.([0-9a-f]{32})\.pem$/.exec(name)?.[1];
    if (keyId !== undefined) keys.set(keyId, `${lines.join('\n')}\n`);
  }
  return keys;
}
