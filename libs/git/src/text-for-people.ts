/** Characters that could move a cursor, recolour a terminal or reorder text: everything in Unicode's "other" class. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu;

/** `scheme://user:password@` and `scheme://token@`, wherever they stand in a text. */
const URL_USER_INFO = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,2000}@/giu;

/** `Authorization: Basic xyz`, in headers that git echoes when it is asked to trace. */
const AUTHORIZATION = /(authorization:\s*\w+\s+)\S+/giu;

const MASK = '***';

/** A text without credentials: those of any URL or header in it, and each of `secrets` (also URL-encoded and in base64). */
export function maskCredentials(text: string, secrets: readonly string[] = []): string {
  let masked = text;
  for (const secret of secrets) {
    if (secret === '') continue;
    const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
    for (const form of forms) masked = masked.replaceAll(form, MASK);
  }
  return masked.replace(URL_USER_INFO, `$1${MASK}@`).replace(AUTHORIZATION, `$1${MASK}`);
}

/** A stranger's text made safe to print on one line: unprintable characters become `?`, the rest is cut at `maxLength`. */
export function oneSafeLine(text: string, maxLength: number): string {
  return text.replace(UNPRINTABLE, '?').slice(0, maxLength);
}

/** Several lines made safe to print: line ends stay, other unprintable characters become `?`, empty lines go. */
export function safeLines(text: string, maxLength: number): string {
  const lines = text.split(/\r?\n|\r/u).map((line) => line.replace(/\t/gu, ' ').replace(UNPRINTABLE, '?').trimEnd());
  return lines
    .filter((line) => line !== '')
    .join('\n')
    .slice(0, maxLength);
}

/** Of what git wrote, the line a person would point at: the first that git itself marks as an error. */
export function mostTellingLine(stderr: string): string {
  const lines = stderr.split('\n');
  return (lines.find((line) => /^(?:fatal|error): /u.test(line)) ?? lines[0] ?? '').slice(0, 500);
}
