/**
 * Canonical JSON (RFC 8785): one text for one value, so that hashes of events and plans are equal everywhere.
 * ECMAScript's own number and string formatting is what the RFC prescribes; members sort by UTF-16 code units.
 */

/** JSON as parsed: what may enter the log. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * The canonical text of `value`. Members whose value is `undefined` are left out, as in `JSON.stringify`.
 * @throws TypeError for numbers that are not finite and for strings with lone surrogates: neither has a canonical form.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (typeof value === 'string') return canonicalString(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return canonicalObject(value);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no form for ${value}`);
  return JSON.stringify(value);
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('canonical JSON has no form for a string with a lone surrogate');
  return JSON.stringify(value);
}

function canonicalObject(value: { readonly [key: string]: Json | undefined }): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${canonicalString(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}
