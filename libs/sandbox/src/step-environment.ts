/** What every step finds in its environment before the spec and the step add theirs. */
export const baseEnvironment = (user: string, homeDir: string, tmpDir: string): Readonly<Record<string, string>> => ({
  HOME: homeDir,
  USER: user,
  LOGNAME: user,
  SHELL: '/bin/sh',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  TMPDIR: tmpDir,
});
