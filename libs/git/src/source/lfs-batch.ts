import { oneSafeLine } from '../text-for-people.ts';
import { HttpTrouble } from './guarded-http.ts';
import type { LfsPointer } from './lfs-pointer.ts';

/** Where one object is to be had, and what to say there. */
export interface LfsDownload extends LfsPointer {
  readonly href: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const LFS_MEDIA_TYPE = 'application/vnd.git-lfs+json';

/** As many objects as servers like to be asked for at once. */
export const LFS_BATCH_OBJECTS = 100;

/** What asks a server for objects, by the rules of its batch API. */
export function batchRequest(pointers: readonly LfsPointer[]): string {
  const objects = pointers.map(({ oid, sizeBytes }) => ({ oid, size: sizeBytes }));
  return JSON.stringify({ operation: 'download', transfers: ['basic'], hash_algo: 'sha256', objects });
}

/**
 * Where the objects are that were asked for, by what the server answered, which may be anything. Objects that nobody asked
 * for are not looked at.
 * @throws HttpTrouble when one is missing, refused or of another size, or the answer is of another kind
 */
export function downloadsIn(answer: unknown, pointers: readonly LfsPointer[]): LfsDownload[] {
  const { transfer = 'basic', hash_algo: hash = 'sha256', objects } = fieldsOf(answer);
  if (transfer !== 'basic' || hash !== 'sha256' || !Array.isArray(objects))
    throw new HttpTrouble('the server answers otherwise than it was asked');
  const told = new Map(objects.map((each: unknown) => [fieldsOf(each)['oid'], fieldsOf(each)]));
  return pointers.map((pointer) => downloadOf(pointer, told.get(pointer.oid)));
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function downloadOf(pointer: LfsPointer, told: Fields | undefined): LfsDownload {
  const named = `object ${pointer.oid.slice(0, 12)}`;
  if (told === undefined) throw new HttpTrouble(`the server says nothing of ${named}`);
  if (told['error'] !== undefined) {
    const { code, message } = fieldsOf(told['error']);
    throw new HttpTrouble(`the server refuses ${named}: ${oneSafeLine(`${String(code)} ${String(message)}`, 200)}`);
  }
  if (told['size'] !== pointer.sizeBytes) throw new HttpTrouble(`the server has ${named} with another size`);
  const { href, header = {} } = fieldsOf(fieldsOf(told['actions'])['download']);
  if (typeof href !== 'string') throw new HttpTrouble(`the server does not say where ${named} is`);
  return { ...pointer, href, headers: headersIn(header, named) };
}

/** As many headers, and as long, as any storage asks for. */
const HEADERS_MAX = 20;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,8192}$/u;
const HEADER_NAME = /^[A-Za-z0-9-]{1,100}$/u;
/** They say how a request travels, which is ours to say. */
const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function headersIn(header: unknown, named: string): Record<string, string> {
  const pairs = Object.entries(fieldsOf(header));
  const fit = pairs.every(
    ([name, value]) =>
      HEADER_NAME.test(name) && !OURS.has(name.toLowerCase()) && typeof value === 'string' && HEADER_VALUE.test(value),
  );
  if (!fit || pairs.length > HEADERS_MAX)
    throw new HttpTrouble(`the server wants headers sent for ${named} that are not`);
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]));
}
