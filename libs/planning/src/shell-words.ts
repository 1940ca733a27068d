/** A word of a command line for `/bin/sh`. */
export function quoteForShell(word: string): string {
  return /^[A-Za-z0-9_./@:=+-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
