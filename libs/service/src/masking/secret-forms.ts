/**
 * Shorter values are refused: what has one character stands in every line, and a mask over each of three says more about
 * the value than it hides.
 */
export const SECRET_CHARACTERS_MIN = 4;
/** A variable of a process holds some more; a private key or the credentials of a cloud are a tenth of it. */
export const SECRET_BYTES_MAX = 32 * 1024;
/** All secrets of one job together. Their forms, up to some hundred times as much, have to fit what can be searched for at once. */
export const SECRETS_BYTES_MAX = 32 * 1024;

/** Why nobody could keep this value out of a log, or hand it to a program; null when it can be done. Never names the value. */
export function whyNoSecret(value: string): string | null {
  if (value.includes('\0')) return 'it has a character that no variable can hold (NUL)';
  if (!value.isWellFormed()) return 'it is not text';
  if (Buffer.byteLength(value) > SECRET_BYTES_MAX) return `it has more than ${SECRET_BYTES_MAX} bytes`;
  const length = charactersOf(withoutBreaks(value.trim()));
  return length < SECRET_CHARACTERS_MIN
    ? `it has ${length} characters and needs ${SECRET_CHARACTERS_MIN}, white space at its ends not counted`
    : null;
}

/** Why a job cannot be given these, by name: one of them is unfit, or they are too much together. Null when it can. */
export function whyNoSecrets(secrets: Readonly<Record<string, string>>): string | null {
  const problems = Object.entries(secrets).flatMap(([name, value]) => {
    const why = whyNoSecret(value);
    return why === null ? [] : [`the secret ${name} cannot be used: ${why}`];
  });
  const bytes = Object.values(secrets).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  if (bytes > SECRETS_BYTES_MAX) problems.push(`the secrets have more than ${SECRETS_BYTES_MAX} bytes together`);
  return problems.length === 0 ? null : problems.join('; ');
}

/**
 * Everything to look for to keep `value` out of a text that is read without its line breaks: the value and each of its
 * lines, as they are, in base64, in hexadecimal, and escaped for URLs and JSON. Lines that are too short to be secrets are
 * left out.
 * @param value one that `whyNoSecret` has nothing against
 */
export function formsOf(value: string): Uint8Array[] {
  const lines = value.split(/\r\n|\r|\n/).map((line) => line.trim());
  const parts = new Set([value.trim(), ...lines.filter((line) => charactersOf(line) >= SECRET_CHARACTERS_MIN)]);
  const forms = new Set<string>();
  for (const part of parts) for (const form of formsOfPart(part)) forms.add(form);
  return [...forms].map((form) => Buffer.from(form));
}

function* formsOfPart(part: string): Generator<string> {
  const bytes = Buffer.from(part);
  yield withoutBreaks(part);
  for (const offset of [0, 1, 2]) yield* inBase64(bytes, offset);
  yield bytes.toString('hex');
  yield bytes.toString('hex').toUpperCase();
  yield* escapedForUrls(part);
  yield* escapedForJson(part);
}

/**
 * Base64 of a text with this content `offset` bytes after a border: the characters that the content alone decides, whatever
 * comes before and after it; and all of them up to the end, for a text that ends with it.
 */
function inBase64(bytes: Buffer, offset: number): string[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .slice(Math.ceil((offset * 8) / 6));
  const decided = Math.floor(((offset + bytes.byteLength) * 8) / 6) - Math.ceil((offset * 8) / 6);
  const forms = [text.slice(0, decided), text.replaceAll('=', ''), text];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** As browsers, form encoders and strict libraries do it; and with small letters. */
function escapedForUrls(part: string): string[] {
  const browsers = encodeURIComponent(part);
  const strict = browsers.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = strict.replaceAll('%20', '+').replaceAll('%2A', '*');
  const paths = strict.replaceAll('%2F', '/');
  const whole = encodeURI(part);
  const all = [browsers, strict, forms, forms.replaceAll('~', '%7E'), paths, whole];
  return all.flatMap((text) => [text, text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())]);
}

/** As it stands inside a string of JSON, for writers that also escape slashes, everything outside ASCII, or what HTML reads. */
function escapedForJson(part: string): string[] {
  const plain = JSON.stringify(part).slice(1, -1);
  const ascii = plain.replace(/[\u0080-\uffff]/g, inHexadecimal);
  const capitals = ascii.replace(/(?<=\\u)[0-9a-f]{4}/g, (digits) => digits.toUpperCase());
  const html = plain.replace(/[<>&\u2028\u2029]/g, inHexadecimal);
  return [html, ...[plain, ascii, capitals].flatMap((text) => [text, text.replaceAll('/', '\\/')])];
}

const inHexadecimal = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

function withoutBreaks(text: string): string {
  return text.replace(/[\r\n]/g, '');
}

const charactersOf = (text: string): number => Array.from(text).length;
