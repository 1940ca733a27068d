import { Secret } from '../config/secret.ts';

export const REDACTED = '[redacted]';

/** Deeper than any object we log on purpose; a cycle ends here. */
const DEPTH_MAX = 8;

/** More values than any line we log on purpose: a socket or a whole request logged by mistake ends here. */
const VALUES_MAX = 2_000;

/** Longest text shown of one field; logs are for finding things, artifacts are for keeping them. */
const TEXT_LENGTH_MAX = 16_384;

/** Fields whose value is a credential, whatever it looks like. Compared in lower case without dashes, dots, underscores. */
const SECRET_FIELD =
  /(?:authorization|cookie|leaseid|apikey|accesskey|privatekey|passphrase|credentials?|hubsignature(?:256)?|passwd|password|secrets?|token)$/;

/** Texts that are credentials by their look, wherever they stand. Each repetition is bounded: matching stays linear. */
const SECRET_TEXTS: readonly [RegExp, string][] = [
  // A secret field inside JSON text, quoted or quoted once more.
  [
    /(\\?"[\w-]{0,40}(?:authorization|cookie|lease_?id|api_?key|passw(?:or)?d|secret|token)\\?":\s?\\?")[^"\\]{1,16384}/gi,
    `$1${REDACTED}`,
  ],
  [/\b(Bearer|Basic)(\s{1,4})[A-Za-z0-9+/._~-]{16,4096}={0,2}/gi, `$1$2${REDACTED}`],
  [/([a-z][a-z0-9+.-]{1,20}:\/\/)(?:[^\s/@:"\\]{0,256}:[^\s/@"\\]{1,512}|[^\s/@:"\\]{16,512})@/gi, `$1${REDACTED}@`],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,255})/g, REDACTED],
  [/\beyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,2048}/g, REDACTED],
  [
    /([?&](?:token|access_token|sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token)=)[^&\s"\\]{1,2048}/gi,
    `$1${REDACTED}`,
  ],
  [/(\/leases\/)[0-9a-f]{64}/g, `$1${REDACTED}`],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g, REDACTED],
];

/** Hides what must not leave the process in logs and telemetry. */
export interface Redactor {
  /** Hides credentials inside running text: by their look, and every learned value wherever it stands. */
  text(given: string): string;
  /** A copy fit for printing: secret fields hidden by name, errors as plain objects, everything nested likewise. */
  fields(given: object): Record<string, unknown>;
  /** From now on this exact value is hidden. */
  learn(secret: Secret): void;
}

export function createRedactor(secrets: readonly Secret[] = []): Redactor {
  const learned = new Set<string>();
  const learn = (secret: Secret): void => {
    for (const value of secret.searchable()) {
      learned.add(value);
      learned.add(JSON.stringify(value).slice(1, -1));
    }
  };
  secrets.forEach(learn);
  const text = (given: string): string => redactText(given, learned);
  return { text, learn, fields: (given) => printableFields(given, 0, { text, valuesLeft: VALUES_MAX }) };
}

/** Is this the name of a field that holds a credential? */
export function isSecretField(name: string): boolean {
  return SECRET_FIELD.test(name.replace(/[-_.]/g, '').toLowerCase());
}

function redactText(given: string, learned: ReadonlySet<string>): string {
  let result = given;
  for (const value of learned) result = result.replaceAll(value, REDACTED);
  for (const [pattern, replacement] of SECRET_TEXTS) result = result.replace(pattern, replacement);
  return result;
}

/** One pass over one object: how to redact, and how many more values may be shown. */
interface Walk {
  text: (given: string) => string;
  valuesLeft: number;
}

function printableFields(given: object, depth: number, walk: Walk): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const hidden = isSecretField(name) && value !== undefined && value !== null;
    result[name] = hidden ? REDACTED : printable(value, depth + 1, walk);
  }
  return result;
}

function printable(value: unknown, depth: number, walk: Walk): unknown {
  if (typeof value === 'string') return shortened(walk.text(value));
  if (typeof value === 'bigint' || typeof value === 'symbol') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Secret || value instanceof URL) return walk.text(value.toString());
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  walk.valuesLeft -= 1;
  if (depth > DEPTH_MAX || walk.valuesLeft < 0) return '[not shown: too deep or too large]';
  return printableObject(value, depth, walk);
}

function printableObject(value: object, depth: number, walk: Walk): unknown {
  if (value instanceof Error) return printableError(value, depth, walk);
  if (value instanceof Map) return printableFields(Object.fromEntries<unknown>(value), depth, walk);
  if (Array.isArray(value) || value instanceof Set) return [...value].map((item) => printable(item, depth + 1, walk));
  return printableFields(value, depth, walk);
}

function printableError(error: Error, depth: number, walk: Walk): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: shortened(walk.text(message)),
    ...(stack === undefined ? {} : { stack: shortened(walk.text(stack)) }),
    ...printableFields(error, depth, walk),
    ...(cause === undefined ? {} : { cause: printable(cause, depth + 1, walk) }),
    ...(error instanceof AggregateError ? { errors: printable(error.errors, depth + 1, walk) } : {}),
  };
}

function shortened(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}[cut]` : text;
}
