/**
 * In which engine the demo plays. The rehearsal's commands are our own, so where nothing isolates they are played as a bare
 * process, which is said; a real model's commands are not.
 */
import { chooseEngine, findProgram } from '../container/choose.ts';
import { EngineFailed } from '../container/container.ts';
import type { EngineName } from '../vocabulary.ts';

export interface DemoEngine {
  engine: 'auto' | EngineName;
  image: string | null;
  /** a real model says what is run */
  live: boolean;
  env: Readonly<Record<string, string | undefined>>;
  say: (line: string) => void;
}

const REMEDY = 'Install bubblewrap (`apt-get install bubblewrap`), the smallest of them';

/** The strongest engine that works here, said aloud. Throws EngineFailed where nothing may be played in any. */
export async function demoEngine(wanted: DemoEngine): Promise<EngineName> {
  const { say } = wanted;
  try {
    const { engine, why } = await choose(wanted);
    say(
      engine.isolates
        ? `The agent runs in ${engine.name}: without a network, a key or a token. ${why}`
        : 'The agent runs as a bare process: it could read all your files. Only scripted answers run here.',
    );
    return engine.name;
  } catch (error) {
    if (!(error instanceof EngineFailed) || wanted.engine !== 'auto') throw error;
    if (wanted.live) throw new EngineFailed(error.problem, `${REMEDY}, then run this again.`);
    say(
      `No container engine works here, so the agent runs as a bare process: its commands are our own, written into the rehearsal. For real work: ${REMEDY}.`,
    );
    return (await choose({ ...wanted, engine: 'process' })).engine.name;
  }
}

async function choose({ engine, image, env }: DemoEngine) {
  const path = env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
  return await chooseEngine({
    engine,
    image,
    programArgs: [],
    runtime: null,
    runArgs: [],
    path,
    flock: findProgram('flock', path),
    environment: env,
  });
}
