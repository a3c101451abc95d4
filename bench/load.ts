/**
 * The load generator, a process of its own: jobs come and results go over Node's channel to the parent.
 *
 * Without a rate every connection sends its next delivery when the last one was answered. With a rate deliveries leave
 * on time whether or not earlier ones were answered, and wait for a free connection inside their measured time: a
 * server that stalls is not asked less often for it.
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { commentBody, deliveryHeaders, signatureOf } from './deliveries.ts';

export interface LoadJob {
  url: string;
  secret: string;
  seconds: number;
  /** most connections */
  connections: number;
  /** deliveries a second; null: as many as go */
  rate: number | null;
}

export interface LoadResult {
  answered: number;
  /** everything that is not a 202 */
  failed: number;
  seconds: number;
  /** milliseconds of each answered delivery */
  latencies: number[];
  /** processor time of this process, as a share of one processor */
  processor: number;
}

const BODIES = 128;
/** At the start of every job, not counted: connections open and code gets hot. */
const WARM_UP_SECONDS = 0.3;

interface Signed {
  body: Buffer;
  signature: string;
}

class Load {
  readonly #job: LoadJob;
  readonly #agent: Agent;
  readonly #bodies: Signed[];
  #next = 0;
  latencies: number[] = [];
  failed = 0;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#agent = new Agent({ keepAlive: true, maxSockets: job.connections, scheduling: 'fifo' });
    this.#bodies = Array.from({ length: BODIES }, (_, n) => {
      const body = commentBody({
        id: n,
        issue: n,
        repository: { id: 42, name: 'pears' },
        text: `Comment ${n}`,
      });
      return { body, signature: signatureOf(body, job.secret) };
    });
  }

  async run(seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1000;
    await (this.#job.rate === null ? this.#closed(until) : this.#open(until, this.#job.rate));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #closed(until: number): Promise<void> {
    const one = async (): Promise<void> => {
      while (performance.now() < until) await this.#send();
    };
    await Promise.all(Array.from({ length: this.#job.connections }, one));
  }

  async #open(until: number, rate: number): Promise<void> {
    const start = performance.now();
    const sent: Promise<void>[] = [];
    while (performance.now() < until) {
      const due = Math.floor(((performance.now() - start) / 1000) * rate);
      while (sent.length < due) sent.push(this.#send());
      await sleep(1);
    }
    await Promise.all(sent);
  }

  async #send(): Promise<void> {
    const { body, signature } = this.#bodies[this.#next++ % BODIES]!;
    const start = performance.now();
    const headers = {
      ...deliveryHeaders(randomUUID()),
      'x-forgejo-signature': signature,
      'content-length': body.length,
    };
    const status = await new Promise<number>((resolve) => {
      const sending = request(this.#job.url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
      sending.once('error', () => resolve(0));
      sending.end(body);
    });
    if (status === 202) this.latencies.push(performance.now() - start);
    else this.failed++;
  }
}

async function carryOut(job: LoadJob): Promise<LoadResult> {
  const load = new Load(job);
  await load.run(WARM_UP_SECONDS);
  load.latencies = [];
  const start = performance.now();
  const before = process.cpuUsage();
  await load.run(job.seconds);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  load.close();
  const { latencies, failed } = load;
  return {
    answered: latencies.length,
    failed,
    seconds,
    latencies,
    processor: (user + system) / 1e6 / seconds,
  };
}

process.on('message', (job: LoadJob) => {
  void carryOut(job).then((result) => process.send!(result));
});
process.on('disconnect', () => process.exit());
