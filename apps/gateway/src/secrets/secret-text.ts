import { notFound, type Found } from './secret-provider.ts';

/** Bytes as a value, which is text: a variable holds nothing else. */
export function textOf(bytes: Uint8Array): Found {
  try {
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return notFound('the value is not text in UTF-8');
  }
}
