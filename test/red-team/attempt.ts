/** One attack from inside a container, and how it must be refused. */

export interface Attempt {
  name: string;
  /** for bash inside; prints SUCCEEDED where it got what it wanted. `$LIB` has the programs of `library.ts` */
  script: string;
  /** the refusal in the words of whoever refused; a script that did not get that far does not say it */
  shows: RegExp;
  /** where a door of ours is involved: what stands in the audit */
  audit?: Audited;
}

export interface Audited {
  door: 'model' | 'forge' | 'git';
  action: RegExp;
  decision?: 'allowed' | 'denied' | 'failed';
}

/** A call of a tool of the forge. */
export interface ToolAttempt {
  name: string;
  tool: string;
  input: Record<string, unknown>;
  shows: RegExp;
  /** false: the CLI does not know the tool, so that nothing reaches the door */
  audited?: boolean;
}

/** What a script may name of this machine: what an attacker could guess or find out, and more. */
export interface Target {
  /** ports of this machine's loopback: a listener of the test's own, the forge, the model */
  ports: { bait: number; forge: number; model: number };
  /** of an abstract socket that listens */
  abstract: string;
  /** a folder that is on this machine only; whatever appears in it was done outside */
  canaries: string;
  /** the file with the operator's settings */
  configFile: string;
  /** a length of sleep by which a daemon is found from outside */
  nap: string;
}

/**
 * Finds every secret of the stage and what the neighbour was told. It must find the decoy as well: otherwise the
 * search did not work.
 */
export const SECRETS = '[s]tage-token|[s]k-ant-stage|[s]tage-webhook|[k]estrel-of-the-neighbour';
export const DECOY = 'decoy-stage-token';

/** Runs outside if it ever runs outside; inside there is no such folder. */
export function canary({ canaries }: Target, name: string): string {
  return `touch ${canaries}/${name}`;
}
