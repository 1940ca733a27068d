import { format } from 'prettier';

/** A markdown table; cells are escaped, so that `a | b` stays one cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(headings)}${line(headings.map(() => '---'))}${rows.map(line).join('')}\n`;
}

/** A page as the formatter leaves it, so that formatting never makes it out of date. */
export function page(...parts: readonly string[]): Promise<string> {
  return format(parts.join(''), { parser: 'markdown', printWidth: 120 });
}

export function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
