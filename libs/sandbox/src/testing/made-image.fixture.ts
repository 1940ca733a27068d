import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';
import type { Compression, Descriptor } from '../images/image-documents.ts';
import { digestOf } from '../images/image-source.ts';

/** An entry of a layer: its header, and what the file holds. */
export type MadeEntry = Partial<Omit<Header, 'size'>> & { readonly name: string } & {
  readonly content?: string | Buffer;
};

/** A layer's archive, with exactly these entries. */
export async function archiveOf(entries: Iterable<MadeEntry>): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  })();
  for (const { content, ...header } of entries) archive.entry(header, content ?? '');
  archive.finalize();
  await reading;
  return Buffer.concat(chunks);
}

/** A layer with as little as an image may have. Its shell is of a time and has a right that tests look for. */
export const shellLayer = (): Promise<Buffer> =>
  archiveOf([{ name: 'bin/sh', mode: 0o4755, content: '#!/fake\n', mtime: new Date(1_000_000) }]);

/** What steps and self-tests need of a root. */
const PROGRAMS =
  'sh cat chmod cp cut date dd df dirname env find getent grep head hostname id kill ln ls mkdir mkfifo mknod mount mv nohup printf ' +
  'readlink rm seq setsid sleep sort stat su tail timeout touch tr umount uname unshare wc xargs';

/** What hostile jobs need besides. */
export const HOSTILE_PROGRAMS: readonly string[] = ['awk', 'fallocate', 'git', 'ipcmk', 'ipcs', 'truncate'];

/** A layer with a few of this host's programs and what they are linked to: made here, so that nothing is downloaded. */
export async function programsLayer(more: readonly string[] = []): Promise<Buffer> {
  const run = promisify(execFile);
  const programs = [...PROGRAMS.split(' '), ...more].map(
    (name) => findProgram(name, SYSTEM_PROGRAM_DIRS) ?? `/bin/${name}`,
  );
  // Node itself is bound into sandboxes where jobs use it; what it is linked to comes from here.
  const { stdout: linked } = await run('ldd', [...programs, process.execPath]);
  const files = new Set([...programs, '/bin/sh', ...(linked.match(/\/[^\s:()]+\.so[^\s:()]*/g) ?? [])]);
  const { stdout } = await run('tar', ['-chPf', '-', ...files], { encoding: 'buffer', maxBuffer: 2 ** 28 });
  return stdout;
}

const COMPRESS: Readonly<Record<Compression, { readonly suffix: string; readonly pack: (bytes: Buffer) => Buffer }>> = {
  none: { suffix: '', pack: (bytes) => bytes },
  gzip: { suffix: '+gzip', pack: (bytes) => gzipSync(bytes, { level: 1 }) },
  zstd: { suffix: '+zstd', pack: (bytes) => zstdCompressSync(bytes) },
};

export type MadeImage = {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly config: Buffer;
  readonly archives: readonly Buffer[];
  readonly layers: readonly Descriptor[];
  /** Everything by its digest, the manifest among it. */
  readonly blobs: ReadonlyMap<string, Buffer>;
};

export type ImageParts = {
  readonly env?: readonly string[];
  readonly architecture?: string;
  readonly compression?: Compression;
  /** Changes what the documents say about the layers. */
  readonly layersSaid?: (layers: readonly Descriptor[]) => readonly Descriptor[];
  readonly diffIds?: readonly string[];
};

/** What this machine is called in images. */
export const OWN_ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

const documentOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** An image of these archives, with documents that say so. */
export function imageOf(archives: readonly Buffer[], parts: ImageParts = {}): MadeImage {
  const { suffix, pack: compress } = COMPRESS[parts.compression ?? 'gzip'];
  const stored = archives.map(compress);
  const layers: readonly Descriptor[] = stored.map((bytes) => ({
    mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`,
    digest: digestOf(bytes),
    size: bytes.length,
  }));
  const config = documentOf({
    os: 'linux',
    architecture: parts.architecture ?? OWN_ARCHITECTURE,
    config: { Env: parts.env ?? ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: parts.diffIds ?? archives.map(digestOf) },
  });
  const manifest = documentOf({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers: parts.layersSaid?.(layers) ?? layers,
  });
  const blobs = new Map([...stored, config, manifest].map((bytes) => [digestOf(bytes), bytes]));
  return { digest: digestOf(manifest), manifest, config, archives, layers, blobs };
}

/** Writes an OCI layout with images by their names. */
export async function writeLayout(directory: string, images: Readonly<Record<string, MadeImage>>): Promise<void> {
  const manifests = Object.entries(images).map(([name, { digest, manifest }]) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest,
    size: manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': name },
  }));
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  for (const { blobs } of Object.values(images)) {
    for (const [digest, bytes] of blobs) await writeFile(join(directory, 'blobs', digest.replace(':', '/')), bytes);
  }
}

/** Writes what `docker save` wrote before it wrote layouts: a link where two layers are the same. */
export async function writeDockerArchive(file: string, name: string, { config, archives }: MadeImage): Promise<void> {
  const configPath = `${digestOf(config).slice('sha256:'.length)}.json`;
  const Layers = archives.map((_, ordinal) => `${ordinal}/layer.tar`);
  const bytes = await archiveOf([
    { name: configPath, content: config },
    ...archives.map((archive, ordinal) => ({ name: `${ordinal}/layer.tar`, content: archive })),
    { name: 'manifest.json', content: JSON.stringify([{ Config: configPath, RepoTags: [name], Layers }]) },
  ]);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}
