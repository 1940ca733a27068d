import { z } from 'zod';
import { Secret, secretOfUrl } from './secret.ts';

/** What a problem report says about a setting without looking at the value. */
interface SettingFacts {
  /** Ends the sentence "expected ...". */
  expected: string;
  secret: boolean;
}

const factsOfSettings = z.registry<SettingFacts>();

/** A schema that reads one environment variable. */
export type Setting<T> = z.ZodPipe<z.ZodString, z.ZodTransform<T, string>>;

/** Largest delay Node's timers hold (2^31 - 1 ms, about 24.8 days); above it they fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * A setting of one's own: `parse` gets the variable's text (never empty) and answers the value, or `undefined` when the
 * text is not acceptable. `expected` ends the sentence "expected ..." in the problem report.
 */
export function setting<T>(expected: string, parse: (text: string) => T | undefined, secret = false): Setting<T> {
  const schema = z.string().transform((given, context) => {
    const value = parse(given);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
  factsOfSettings.add(schema, { expected, secret });
  return schema;
}

/** Finds what is known about a setting under its defaults and optionals. */
export function factsOf(schema: z.core.$ZodType): SettingFacts {
  let current = schema;
  while (current instanceof z.ZodDefault || current instanceof z.ZodOptional || current instanceof z.ZodPrefault) {
    current = current.unwrap();
  }
  return factsOfSettings.get(current) ?? { expected: 'a value', secret: true };
}

/** Non-empty text of at most `lengthMax` characters (1,000 unless told: more is a mistake, not a setting). */
export function text(lengthMax = 1_000): Setting<string> {
  return setting(`text of at most ${lengthMax} characters`, (given) => (given.length <= lengthMax ? given : undefined));
}

/** A secret of at least `lengthMin` characters. */
export function secretText(lengthMin = 1): Setting<Secret> {
  const parse = (given: string) => (given.length >= lengthMin ? new Secret(given) : undefined);
  return setting(`a secret of at least ${lengthMin} characters`, parse, true);
}

/** A whole number in decimal digits, bounds included. */
export function wholeNumber(bounds: { min: number; max: number; unit?: string }): Setting<number> {
  const unit = bounds.unit === undefined ? '' : ` of ${bounds.unit}`;
  return setting(`a whole number${unit} from ${bounds.min} to ${bounds.max}`, (given) => {
    const value = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    return value >= bounds.min && value <= bounds.max ? value : undefined;
  });
}

/** A duration in whole milliseconds; name the variable `..._MS`. At most what Node's timers hold. */
export function durationMs(bounds: { min?: number; max?: number } = {}): Setting<number> {
  return wholeNumber({ min: bounds.min ?? 0, max: bounds.max ?? TIMER_MS_MAX, unit: 'milliseconds' });
}

/** A TCP port; 0 asks for any free one. */
export function port(): Setting<number> {
  return wholeNumber({ min: 0, max: 65_535 });
}

/** A decimal number, bounds included. */
export function decimal(bounds: { min: number; max: number }): Setting<number> {
  return setting(`a number from ${bounds.min} to ${bounds.max}`, (given) => {
    const value = /^-?\d{1,15}(?:\.\d{1,15})?$/.test(given) ? Number(given) : Number.NaN;
    return value >= bounds.min && value <= bounds.max ? value : undefined;
  });
}

const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

/** `true/1/yes/on` or `false/0/no/off`, in any case. */
export function flag(): Setting<boolean> {
  return setting('true or false (also 1/0, yes/no, on/off)', (given) => BOOLEANS.get(given.toLowerCase()));
}

/** One of a closed list of words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Setting<Word> {
  return setting(`one of ${words.join(', ')}`, (given) => words.find((word) => word === given));
}

/** A URL of one of the given schemes (written without the colon), as text. Not for URLs that may carry a password. */
export function url(schemes: readonly string[]): Setting<string> {
  return setting(expectedUrl(schemes), (given) => (isUrlOf(schemes, given) ? given : undefined));
}

/** A URL that may carry credentials: kept as a `Secret`, shown without them. */
export function secretUrl(schemes: readonly string[]): Setting<Secret> {
  return setting(expectedUrl(schemes), (given) => (isUrlOf(schemes, given) ? secretOfUrl(given) : undefined), true);
}

/** A comma-separated list; spaces around and empty items are dropped. At least one item, at most `itemsMax`. */
export function list(itemsMax = 100): Setting<string[]> {
  return setting(`a comma-separated list of 1 to ${itemsMax} items`, (given) => {
    const items = given
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    return items.length >= 1 && items.length <= itemsMax ? items : undefined;
  });
}

function expectedUrl(schemes: readonly string[]): string {
  return `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
}

function isUrlOf(schemes: readonly string[], given: string): boolean {
  if (!URL.canParse(given)) return false;
  const parsed = new URL(given);
  return schemes.includes(parsed.protocol.slice(0, -1)) && parsed.host !== '';
}
