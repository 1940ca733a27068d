import type { FilterArch } from './system-calls.ts';

/**
 * A program that makes one system call and exits with its errno (0 when it worked): the smallest honest question to a
 * filter, and one that needs no compiler. A static ELF file of one segment, written byte by byte.
 */

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
const LOAD_ADDRESS = 0x400000;
const MACHINE: Readonly<Record<FilterArch, number>> = { x64: 62, arm64: 183 };

function elf(arch: FilterArch, code: Buffer): Buffer {
  const file = Buffer.alloc(CODE_OFFSET + code.length);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(MACHINE[arch], 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS + CODE_OFFSET), 24);
  file.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32);
  file.writeUInt16LE(ELF_HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56);
  // PT_LOAD, readable and executable, the whole file.
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 80);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  file.set(code, CODE_OFFSET);
  return file;
}

/** `mov reg, imm64` for rax and the argument registers rdi, rsi, rdx, r10, r8, r9. */
const X64_MOVE = [
  [0x48, 0xb8],
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
  [0x49, 0xb9],
] as const;

function moveX64(register: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.set(X64_MOVE[register] ?? [], 0);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 2);
  return bytes;
}

/** syscall; test rax,rax; jns +5; neg rax; jmp +2; xor eax,eax; mov edi,eax; mov eax,60; syscall. */
const X64_TAIL = Buffer.from('0f054885c0790548f7d8eb0231c089c7b83c0000000f05', 'hex');

const codeX64 = (values: readonly bigint[]): Buffer =>
  Buffer.concat([...values.map((value, register) => moveX64(register, value)), X64_TAIL]);

/** movz/movk in four steps; the call's number goes to x8, arguments to x0 ... x5. */
function moveArm64(register: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  for (let part = 0; part < 4; part += 1) {
    const half = Number((BigInt.asUintN(64, value) >> BigInt(16 * part)) & 0xffffn);
    const opcode = part === 0 ? 0xd2800000 : 0xf2800000;
    bytes.writeUInt32LE((opcode | (part << 21) | (half << 5) | register) >>> 0, part * 4);
  }
  return bytes;
}

/** svc #0; cmp x0,#0; csneg x0,xzr,x0,ge; movz x8,#93; svc #0. */
const ARM64_TAIL = [0xd4000001, 0xf100001f, 0xda80a7e0, 0xd2800ba8, 0xd4000001];

function codeArm64([number = 0n, ...args]: readonly bigint[]): Buffer {
  const tail = Buffer.alloc(ARM64_TAIL.length * 4);
  ARM64_TAIL.forEach((word, index) => tail.writeUInt32LE(word, index * 4));
  return Buffer.concat([moveArm64(8, number), ...args.map((value, register) => moveArm64(register, value)), tail]);
}

/** The executable file that calls system call `number` with `args` (six at most, zero when left out). */
export function systemCallProgram(arch: FilterArch, number: number, args: readonly number[] = []): Buffer {
  const values = [number, ...Array.from({ length: 6 }, (_, index) => args[index] ?? 0)].map(BigInt);
  return elf(arch, arch === 'x64' ? codeX64(values) : codeArm64(values));
}

/**
 * i386's entry on x86-64, with number 20: getpid there, and writev of nothing in a kernel that takes the call for one of its own.
 * mov eax,20; int 0x80; xor edi,edi; test eax,eax; setle dil; then by the proper door exit 0 with a process id in hand, else 1.
 */
export const i386CallProgram = (): Buffer =>
  elf('x64', Buffer.from('b814000000cd8031ff85c0400f9ec7b83c0000000f05', 'hex'));
