/** Whether a `.go` file takes part in a build: on every runner, on some, or on none. */
export type Inclusion = 'always' | 'sometimes' | 'never';

/** What differs between the machines jobs may run on: systems, processors, and whether a C compiler is there. */
const DIFFERS = new Set(['linux', 'darwin', 'amd64', 'arm64', 'cgo']);
/** True wherever the go command runs on those. */
const HOLDS = new Set(['unix', 'gc']);
const SYSTEMS =
  /^(?:aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|solaris|wasip1|windows|zos)$/u;
const PROCESSORS =
  /^(?:386|amd64|amd64p32|arm|armbe|arm64|arm64be|loong64|mips|mipsle|mips64|mips64le|mips64p32|mips64p32le|ppc|ppc64|ppc64le|riscv|riscv64|s390|s390x|sparc|sparc64|wasm)$/u;

/** Three values, so that `!linux` is as open as `linux`. */
type Truth = boolean | null;

/**
 * By the file's name (`x_windows.go`, `x_linux_test.go`) and by its constraint; null for a file without one.
 * @param language the `go` version of its module (`1.24`, `1.24.1`), which every toolchain that builds it has reached;
 *   null where that is not written
 */
export function inclusionOf(fileName: string, constraint: string | null, language: string | null): Inclusion {
  const reached = Number(/^1\.(?<minor>\d{1,9})/u.exec(language ?? '')?.groups?.['minor'] ?? 0);
  const truth = both(byName(fileName), constraint === null ? true : evaluate(constraint, reached));
  return truth === true ? 'always' : truth === null ? 'sometimes' : 'never';
}

function byName(fileName: string): Truth {
  const [, ...parts] = fileName
    .replace(/\.go$/u, '')
    .replace(/_test$/u, '')
    .split('_');
  const last = parts.at(-1) ?? '';
  const before = parts.at(-2) ?? '';
  if (PROCESSORS.test(last)) return SYSTEMS.test(before) ? both(tag(before), tag(last)) : tag(last);
  return SYSTEMS.test(last) ? tag(last) : true;
}

function tag(name: string): Truth {
  return DIFFERS.has(name) ? null : HOLDS.has(name);
}

/** A release that the module needs is reached, since older ones are refused; a later one may be, by a newer toolchain. */
function release(minor: number, reached: number): Truth {
  return minor <= reached ? true : null;
}

function both(one: Truth, other: Truth): Truth {
  if (one === false || other === false) return false;
  return one === null || other === null ? null : true;
}

function either(one: Truth, other: Truth): Truth {
  return negated(both(negated(one), negated(other)));
}

function negated(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** A constraint is one line; what nests deeper than people write is as open as can be. */
const DEPTH_MAX = 50;

/** `linux && (amd64 || !cgo)`. What cannot be followed may be true. */
function evaluate(constraint: string, reached: number): Truth {
  const tokens = constraint.match(/\|\||&&|[!()]|[\w.]+/gu) ?? [];
  let at = 0;
  const eat = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const disjunction = (depth: number): Truth => {
    let value = conjunction(depth);
    while (eat('||')) value = either(value, conjunction(depth));
    return value;
  };
  const conjunction = (depth: number): Truth => {
    let value = operand(depth);
    while (eat('&&')) value = both(value, operand(depth));
    return value;
  };
  const operand = (depth: number): Truth => {
    let inverted = false;
    while (eat('!')) inverted = !inverted;
    const value = depth > DEPTH_MAX ? null : primary(depth);
    return inverted ? negated(value) : value;
  };
  const primary = (depth: number): Truth => {
    if (eat('(')) {
      const value = disjunction(depth + 1);
      eat(')');
      return value;
    }
    const name = tokens[at];
    at += 1;
    if (name === undefined) return null;
    const minor = /^go1\.(?<minor>\d+)$/u.exec(name)?.groups?.['minor'];
    return minor === undefined ? tag(name) : release(Number(minor), reached);
  };
  const value = disjunction(0);
  return at < tokens.length ? null : value;
}
