/**
 * A unified diff that adds a file, as `git apply` takes it.
 * @param path from the root of the repository; plain, so that git needs no quotes around it
 * @param text ends with a line break
 */
export function newFilePatch(path: string, text: string): string {
  const lines = text.replace(/\n$/u, '').split('\n');
  const head = [
    `diff --git a/${path} b/${path}`,
    'new file mode 100644',
    '--- /dev/null',
    `+++ b/${path}`,
    `@@ -0,0 +1,${lines.length} @@`,
  ];
  return [...head, ...lines.map((line) => `+${line}`), ''].join('\n');
}
