/**
 * The system calls that bubblewrap's sandbox refuses, as the program that the kernel wants. docker and podman have
 * lists of their own. A namespace hides files, processes and networks. The calls refused here reach what no namespace
 * hides: the session's key ring, which a child inherits, and parts of the kernel that were a way out before. Only those
 * families of sockets are allowed that a network namespace confines: vsock reaches the hypervisor and this machine from
 * any namespace.
 */
const REFUSED = ['add_key', 'request_key', 'keyctl', 'bpf', 'perf_event_open', 'userfaultfd'] as const;
type Call = (typeof REFUSED)[number];

interface Architecture {
  /** AUDIT_ARCH_… */
  id: number;
  socket: number;
  /** the old call that passes the family behind a pointer; null where there is none */
  socketCall: number | null;
  numbers: Record<Call, number>;
}

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK */
export const FAMILIES: readonly number[] = [1, 2, 10, 16];

const X86_64: Architecture = {
  id: 0xc000003e,
  socket: 41,
  socketCall: null,
  numbers: { add_key: 248, request_key: 249, keyctl: 250, bpf: 321, perf_event_open: 298, userfaultfd: 323 },
};
const I386: Architecture = {
  id: 0x40000003,
  socket: 359,
  socketCall: 102,
  numbers: { add_key: 286, request_key: 287, keyctl: 288, bpf: 357, perf_event_open: 336, userfaultfd: 374 },
};
const AARCH64: Architecture = {
  id: 0xc00000b7,
  socket: 198,
  socketCall: null,
  numbers: { add_key: 217, request_key: 218, keyctl: 219, bpf: 280, perf_event_open: 241, userfaultfd: 282 },
};
/** A 64-bit kernel also runs 32-bit programs, which use other numbers. */
const OF_MACHINE: Partial<Record<NodeJS.Architecture, Architecture[]>> = {
  x64: [X86_64, I386],
  arm64: [AARCH64],
};
/**
 * x32 programs run as X86_64 with this bit in the number. Nobody uses any, and they would get past the filter.
 */
const X32_BIT = 0x40000000;

const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_NOT_LESS = 0x35;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
// guard: container: system calls (bubblewrap)
const REFUSE = 0x00050000 | 1; // EPERM
// guard: container: kinds of sockets (bubblewrap)
const NO_FAMILY = 0x00050000 | 97; // EAFNOSUPPORT
const AT_NUMBER = 0;
const AT_ARCHITECTURE = 4;
/** the lower half of the first argument; all these machines are little-endian */
const AT_FAMILY = 16;

/**
 * Null where the numbers are not known: then nothing is refused. A call of an architecture that is not listed is always
 * refused.
 */
export function seccompProgram(machine: NodeJS.Architecture = process.arch): Buffer | null {
  const architectures = OF_MACHINE[machine];
  if (architectures === undefined) return null;
  const blocks = architectures.map(({ id, numbers, socket, socketCall }) => {
    const calls = REFUSED.map((call) => numbers[call]);
    if (socketCall !== null) calls.push(socketCall);
    const families = [
      [LOAD, 0, 0, AT_FAMILY],
      ...FAMILIES.map((family, i) => [JUMP_IF_EQUAL, FAMILIES.length - i, 0, family]),
      [RETURN, 0, 0, NO_FAMILY],
    ];
    const body = [
      [LOAD, 0, 0, AT_NUMBER],
      // Jumps count the instructions to skip. The refusal is the last instruction of the block.
      [JUMP_IF_NOT_LESS, calls.length + families.length + 2, 0, X32_BIT],
      ...calls.map((number, i) => [JUMP_IF_EQUAL, calls.length - i + families.length + 1, 0, number]),
      [JUMP_IF_EQUAL, 0, families.length, socket],
      ...families,
      [RETURN, 0, 0, ALLOW],
      [RETURN, 0, 0, REFUSE],
    ];
    return [[JUMP_IF_EQUAL, 0, body.length, id], ...body];
  });
  const program = [[LOAD, 0, 0, AT_ARCHITECTURE], ...blocks.flat(), [RETURN, 0, 0, REFUSE]];
  return Buffer.concat(program.map(instruction));
}

function instruction([code, whenTrue, whenFalse, value]: number[]): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code!, 0);
  bytes.writeUInt8(whenTrue!, 2);
  bytes.writeUInt8(whenFalse!, 3);
  bytes.writeUInt32LE(value! >>> 0, 4);
  return bytes;
}
