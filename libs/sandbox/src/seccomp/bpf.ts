/**
 * Classic BPF as seccomp takes it (linux/filter.h, linux/seccomp.h): the few instructions the filter needs, and their
 * bytes. The data a program looks at is `struct seccomp_data`: nr, arch, instruction pointer, six 64-bit arguments.
 */

export type Instruction = { readonly code: number; readonly jt: number; readonly jf: number; readonly k: number };

const BPF_LD_W_ABS = 0x20;
const BPF_JMP_JEQ_K = 0x15;
const BPF_JMP_JGT_K = 0x25;
const BPF_JMP_JSET_K = 0x45;
const BPF_RET_K = 0x06;
export const BPF_CODES = { BPF_LD_W_ABS, BPF_JMP_JEQ_K, BPF_JMP_JGT_K, BPF_JMP_JSET_K, BPF_RET_K } as const;

export const OFFSET_NUMBER = 0;
export const OFFSET_ARCH = 4;

/**
 * Offset of the low half of argument `index`. Both machines are little endian. The arguments judged here are ints or
 * flags below 2^32: the kernel reads their low half alone, so comparing more would let garbage in the high half pass.
 */
export const offsetOfArgument = (index: number): number => 16 + 8 * index;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
export const VERDICTS = { ALLOW, KILL_PROCESS, ERRNO } as const;

export const EPERM = 1;
export const ENOSYS = 38;
export const EAFNOSUPPORT = 97;

export const load = (offset: number): Instruction => ({ code: BPF_LD_W_ABS, jt: 0, jf: 0, k: offset });
export const giveVerdict = (verdict: number): Instruction => ({ code: BPF_RET_K, jt: 0, jf: 0, k: verdict });
export const refuseWith = (errno: number): Instruction => giveVerdict(ERRNO | errno);

/** Skips `skip` instructions when equal, otherwise continues with the next. */
export const unlessEqual = (k: number, skip: number): Instruction => ({ code: BPF_JMP_JEQ_K, jt: skip, jf: 0, k });
/** Continues with the next instruction when the condition holds, otherwise skips `skip` instructions. */
export const whenEqual = (k: number, skip: number): Instruction => ({ code: BPF_JMP_JEQ_K, jt: 0, jf: skip, k });
export const whenGreater = (k: number, skip: number): Instruction => ({ code: BPF_JMP_JGT_K, jt: 0, jf: skip, k });
export const whenAnyBit = (k: number, skip: number): Instruction => ({ code: BPF_JMP_JSET_K, jt: 0, jf: skip, k });

/** `struct sock_filter` each: u16 code, u8 jt, u8 jf, u32 k, little endian. */
export function encodeProgram(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach((instruction, index) => {
    bytes.writeUInt16LE(instruction.code, index * 8);
    bytes.writeUInt8(instruction.jt, index * 8 + 2);
    bytes.writeUInt8(instruction.jf, index * 8 + 3);
    bytes.writeUInt32LE(instruction.k >>> 0, index * 8 + 4);
  });
  return bytes;
}
