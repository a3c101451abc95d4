/**
 * How many bytes of webhook bodies are held at once, over all connections and for each address. Bodies are in memory
 * from their first byte until they are stored or refused, and before the last byte nobody knows whether the sender may
 * send anything at all.
 *
 * The first 64 KiB of every body have room of their own, which larger bodies cannot take. So somebody who fills the
 * rest keeps out large deliveries, but not the usual ones of 10 to 30 KiB.
 *
 * Behind a proxy every request comes from one address, and the limit for an address is then the limit for all. Only
 * the proxy can tell senders apart and hold one of them back.
 */

const SMALL_BODY = 64 * 1024;
/** Room for 256 small bodies at once; one address may take half of it. */
const SMALL_ROOM = 256 * SMALL_BODY;

export class InFlight {
  readonly #room: { total: number; address: number };
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  /** One address may send two bodies of the largest size at once, all addresses together four. */
  constructor(maxBodyBytes: number) {
    this.#room = { total: 4 * maxBodyBytes, address: 2 * maxBodyBytes };
  }

  get bytes(): number {
    return this.#total;
  }

  open(address: string): Share {
    const key = senderOf(address);
    let held = 0;
    return {
      take: (bytes) => {
        // guard: bodies: room for small ones
        const small = held + bytes <= SMALL_BODY;
        const mine = this.#byAddress.get(key) ?? 0;
        // guard: bodies: bytes in flight, part 2
        if (this.#total + bytes > this.#room.total + (small ? SMALL_ROOM : 0)) return 'all';
        // guard: bodies: bytes in flight, part 1
        if (mine + bytes > this.#room.address + (small ? SMALL_ROOM / 2 : 0)) return 'address';
        held += bytes;
        this.#total += bytes;
        this.#byAddress.set(key, mine + bytes);
        return null;
      },
      release: () => {
        this.#total -= held;
        const left = (this.#byAddress.get(key) ?? 0) - held;
        if (left > 0) this.#byAddress.set(key, left);
        else this.#byAddress.delete(key);
        held = 0;
      },
    };
  }
}

/** What one request holds. */
export interface Share {
  /** null, or whose room is used up: that of all addresses or of this one; then nothing was taken */
  take(bytes: number): 'all' | 'address' | null;
  release(): void;
}

/** One host usually has a whole /64 of IPv6 addresses, so that counts as one address. */
export function senderOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('%')[0]!.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros =
    after === undefined ? [] : new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16).toString(16));
  return groups.slice(0, 4).join(':');
}
