/** What a dispatch asks of the layers, and what it gets. */
import type { ContainerSettings } from '../config/config.ts';
import type { LayerMount } from '../container/place.ts';
import type { BasePoint, Checkout } from '../workdir/port.ts';
import type { SetUpDoors } from './build.ts';

export interface LayerRequest {
  dispatchId: string;
  agent: string;
  repository: { forge: string; id: string; fullName: string };
  checkout: Checkout;
  /** the commit of the base branch that says what is set up */
  base: BasePoint;
  settings: ContainerSettings;
  /** the conversation's, on this machine: HOME, and what it has of layers */
  folders: { home: string; layers: string };
  /** opened only when commands are run */
  openDoors(): Promise<SetUpDoors>;
  signal: AbortSignal;
}

/** What became of the set-up for one dispatch. `none`: nothing is to be set up. */
export type SetUpOutcome = 'none' | 'reused' | 'built' | 'failed' | 'not-run' | 'stopped';

export interface SetUpSaid {
  outcome: Exclude<SetUpOutcome, 'none'>;
  /** null = there is no layer to name */
  key: string | null;
  /** a sentence for people */
  text: string;
  /** until it could run */
  ms: number;
}

export interface ReadyLayers {
  mounts: LayerMount[];
  /** sentences for the agent, about its checkout */
  notes: string[];
  said: SetUpSaid | null;
  /** Idempotent. Until then the layer is not removed. */
  release(): void;
}

export interface Layers {
  /** Never rejects because of what commands did: the run goes on without. Call it while no process of the conversation lives. */
  forRun(request: LayerRequest): Promise<ReadyLayers>;
  /** Finds out how layers are shown for these, where the configuration has commands, and says so in the log. */
  look(settings: readonly ContainerSettings[]): Promise<void>;
  /** Puts away what an earlier service left half done. */
  recover(): Promise<void>;
  /** Removes what is unwanted, unused for too long, or beyond the limit, and in no use. */
  sweep(): Promise<void>;
}
