/** What YAML reads as a text without quotes, in a list or a map on one line as well, and as nothing else. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off)$)[A-Za-z./][A-Za-z0-9 ._/:@-]*[A-Za-z0-9/]$|^[A-Za-z.]$/iu;

/** A value as YAML on one line, as a person would write it. */
export function yamlInLine(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) && !value.includes(': ') ? value : quoted(value);
  if (Array.isArray(value)) return `[${value.map(yamlInLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, each]) => `${name}: ${yamlInLine(each)}`);
  return `{ ${members.join(', ')} }`;
}

/** Within single quotes nothing but the quote itself means anything. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
