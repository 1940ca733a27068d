import { BPF_CODES } from '../seccomp/bpf.ts';

/** What a filter is shown: `struct seccomp_data`. Arguments are full 64-bit values. */
export type CallSeen = { readonly number: number; readonly arch: number; readonly args?: readonly bigint[] };

function seccompData({ number, arch, args = [] }: CallSeen): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch >>> 0, 4);
  args.forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + index * 8));
  return data;
}

type Condition = (accumulator: number, k: number) => boolean;

const CONDITIONS: ReadonlyMap<number, Condition> = new Map([
  [BPF_CODES.BPF_JMP_JEQ_K, (a: number, k: number) => a === k],
  [BPF_CODES.BPF_JMP_JGT_K, (a: number, k: number) => a > k],
  [BPF_CODES.BPF_JMP_JSET_K, (a: number, k: number) => (a & k) !== 0],
]);

/**
 * Runs an encoded filter as the kernel would and answers its verdict. Reads the bytes, not the instructions they were
 * made from, and throws where the kernel's verifier would refuse: a jump past the end, an unknown instruction.
 */
export function interpretFilter(program: Buffer, seen: CallSeen): number {
  const data = seccompData(seen);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const code = program.readUInt16LE(at);
    const k = program.readUInt32LE(at + 4);
    if (code === BPF_CODES.BPF_RET_K) return k;
    if (code === BPF_CODES.BPF_LD_W_ABS) {
      accumulator = data.readUInt32LE(k);
      continue;
    }
    const condition = CONDITIONS.get(code);
    if (condition === undefined) throw new Error(`unknown instruction ${code} at ${at / 8}`);
    at += 8 * program.readUInt8(at + (condition(accumulator, k) ? 2 : 3));
  }
  throw new Error('ran past the end');
}
