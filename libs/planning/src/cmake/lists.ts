import { hostOf } from '../javascript/locked-packages.ts';

/** What planning reads of a `CMakeLists.txt`, command by command: it is a program, and nothing of it is run. */
export interface CmakeLists {
  /** The name of its project; null for a part of another. */
  readonly project: string | null;
  /** The oldest CMake it says will do. */
  readonly version: string | null;
  /** Paths of folders that it takes in, as they are written. */
  readonly subdirectories: readonly string[];
  readonly tested: boolean;
  /** Whether only a kit that comes from elsewhere can build it: of phones, boards, or another program. */
  readonly needsKit: boolean;
  /** Where it downloads from while it is set up. */
  readonly hosts: readonly string[];
  readonly meaning: string;
}

/** Of a file that somebody wrote. */
const CHARS_MAX = 1_024 ** 2;

const KIT =
  /\$ENV\{\w*(?:SDK|IDF|NDK|ROS|ZEPHYR)\w*\}|\bFLUTTER_\w+|\bpico_sdk_\w+|\bReactAndroid\b|\bANDROID_ABI\b|\bCMAKE_JS_\w+|\bSKBUILD_PROJECT_\w+|\bcatkin_package\b|\bament_package\b|\bfind_package\s*\(\s*Zephyr\b/u;

/** Null for what is too long to have been written by anybody. */
export function readCmakeLists(text: string): CmakeLists | null {
  if (text.length > CHARS_MAX) return null;
  const code = text
    .split('\n')
    // A comment to the end of the line, unless it stands within quotes; one in brackets is left to stand.
    .map((line) => line.replace(/^((?:[^"#]|"[^"]*")*)#.*$/su, '$1').trimEnd())
    .filter((line) => line.trim() !== '')
    .join('\n');
  const first = (pattern: RegExp): string | null => pattern.exec(code)?.groups?.['name'] ?? null;
  const downloads = /\b(?:FetchContent_Declare|ExternalProject_Add|CPMAddPackage|file\s*\(\s*DOWNLOAD)\b/iu.test(code);
  return {
    project: first(/^[ \t]*project\s*\(\s*"?(?<name>[^\s")]{1,100})/imu),
    version: first(/^[ \t]*cmake_minimum_required\s*\(\s*VERSION\s+(?<name>\d+\.\d+)/imu),
    subdirectories: [...text.matchAll(/\badd_subdirectory\s*\(\s*"?(?<path>[^\s")]{1,300})/giu)].flatMap(
      ({ groups }) => groups?.['path'] ?? [],
    ),
    tested:
      /\b(?:enable_testing|add_test|gtest_discover_tests|catch_discover_tests)\s*\(|\binclude\s*\(\s*CTest\s*\)/iu.test(
        code,
      ),
    needsKit: KIT.test(code),
    hosts: downloads ? hostsIn(code) : [],
    // As it is written: what looks like a comment may stand within a text.
    meaning: text,
  };
}

/** As many as a file reasonably names. */
const HOSTS_MAX = 20;

function hostsIn(code: string): string[] {
  const addresses = code.match(/\bhttps:\/\/[\w.@:/-]{1,300}/gu) ?? [];
  const short = /\bGITHUB_REPOSITORY\b|\(\s*"?gh:/iu.test(code) ? ['github.com'] : [];
  return [...new Set([...addresses.flatMap((address) => hostOf(address) ?? []), ...short])].sort().slice(0, HOSTS_MAX);
}
