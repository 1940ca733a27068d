/**
 * What an auditor does by hand with a bundle: POSIX shell, `awk`, `sha256sum` and `openssl` 3. `docs/audit.md` shows
 * the same lines and explains them; a test runs them from there.
 */
export const BUNDLE_PROCEDURE = `awk '/^\\[[0-9a-z.]+\\]$/ { close(file); file = substr($0, 2, length($0) - 2); next }
     file != "" { print > file }' "$BUNDLE"
for checkpoint in *.checkpoint; do
  n=\${checkpoint%.checkpoint}
  id=$(sed -n 's/^key //p' "$checkpoint")
  openssl pkey -pubin -in "key.$id.pem" -outform DER | sha256sum | grep "^$id" || exit 1
  openssl base64 -d -A -in "$n.signature" -out "$n.bytes"
  openssl pkeyutl -verify -pubin -inkey "key.$id.pem" -rawin -in "$checkpoint" -sigfile "$n.bytes" || exit 1
  hash=$(cat "$n.before")
  while IFS= read -r line; do
    case $line in '{'*) line=$(printf %s "$line" | sha256sum | cut -c 1-64) ;; esac
    hash=$(printf %s "$hash$line" | sha256sum | cut -c 1-64)
  done < "$n.chain"
  grep -x "hash $hash" "$checkpoint" || { echo "$n.chain is not what was signed"; exit 1; }
done`;

/** The head of every bundle: comment lines that say what it is and how to check it. */
export function bundleReadme(runId: string): string {
  const text = `Delta CI audit bundle, version 1
${runId}

What the log of a Delta CI installation holds of this run, and what proves it: the records as they were appended, one
line of JSON each, and for every record of somebody else between them the SHA-256 of its text. Each stretch ends in a
checkpoint, which the installation signed with a key that you got from it by another way than this file.

To check it without any program of ours, in an empty directory, with BUNDLE set to the path of this file:

${BUNDLE_PROCEDURE}

It prints each key's digest, "Signature Verified Successfully" and the hash that was signed, and stops at the first thing
that does not fit. Then compare the key ids (the first 32 digits) with those that were given to you, and read the records:
grep -h '^{' *.chain. The records of the run's own stream are numbered by "version" from 1 without a gap.`;
  return text
    .split('\n')
    .map((line) => `# ${line}`.trimEnd())
    .join('\n');
}
