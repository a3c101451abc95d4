/** What to do about each cause. Pure. */
import { dirname } from 'node:path';
import type { DiagnosisCause, DiagnosisVerdict } from './cause.ts';
import { isUsable } from './copies.ts';
import type { SessionFacts } from './surroundings.ts';

type Remedy = (facts: SessionFacts) => string;

const REMEDIES: Record<DiagnosisCause, Remedy> = {
  none: () => 'Nothing to do.',
  'wrong-id': (f) => `Use ${f.session.id} in lower case, as it stands in the database.`,
  'no-session': () => 'Nothing to do: the first dispatch starts one.',
  'never-written': (f) =>
    f.running === undefined
      ? 'If this repeats, check that the CLI starts at all and may write its folder where it runs.'
      : 'Ask again when the running dispatch has ended.',
  'turn-not-written': () =>
    'Make the CLI folder writable where the CLI runs (same path, same uid, not read-only, space left).',
  'other-project-folder': (f) =>
    `The CLI must run with a fixed project folder name; keep one file of this id, at ${f.transcript}.`,
  'other-config-folder': (f) => moveFrom(f),
  'other-home': (f) =>
    !isFetched(f)
      ? `${moveFrom(f)} Then check that CLAUDE_CONFIG_DIR reaches the CLI.`
      : `Keep ${f.formerFolder} until then, or move it to ${f.session.config_folder} while the service is stopped.`,
  'foreign-transcript': (f) => `Move ${f.transcript} away: it is the history of another session.`,
  'cleaned-up': () =>
    'Check that no other CLI uses this folder with its own settings: ours keeps transcripts for ten years.',
  'folder-gone': (f) => `Mount the volume that holds ${f.session.config_folder}, if there still is one.`,
  missing: (f) => `Put ${f.transcript} back from a backup, if there is one.`,
  empty: (f) => asLost(f),
  garbage: (f) => asLost(f),
  truncated: (f) => asLost(f),
  'other-history': (f) => asLost(f),
  damaged: () => 'If this repeats, check the disk.',
  'behind-archive': () => 'If this repeats, check whether two hosts or a backup write this folder.',
  unreadable: (f) => `Make ${f.access.path} a file that uid ${f.access.ourUid} can read, then ask again.`,
  'not-writable': (f) => `Make ${f.access.path} writable for uid ${f.access.ourUid}, then ask again.`,
  'read-only': (f) =>
    `Mount ${dirname(f.access.path)} writable: the CLI would answer, store nothing, and report no error.`,
  'other-owner': (f) =>
    `Give ${f.session.config_folder} to uid ${f.access.ourUid} (chown -R), or run as uid ${f.access.ownerUid}.`,
  'config-broken': (f) =>
    `Nothing to do: the next dispatch sets ${f.session.config_folder}/.claude.json aside by itself.`,
  'refused-by-cli': (f) =>
    `Look at the dispatch's log lines for the CLI's own words, and compare its version with ${f.options.currentCliVersion}.`,
  'no-longer-current': (f) =>
    f.session.replaced_by === null
      ? 'Nothing to do.'
      : `Nothing to do here: the conversation goes on in session ${f.session.replaced_by}; diagnose that one.`,
};

function moveFrom(f: SessionFacts): string {
  const found = f.elsewhere.find((e) => isUsable(e.copy)) ?? f.elsewhere[0]!;
  return `Stop the service and move ${found.file} to ${f.transcript}.`;
}

function asLost(f: SessionFacts): string {
  return `Put ${f.transcript} back from a backup if the archive has no whole copy.`;
}

export function remedyFor(facts: SessionFacts, cause: DiagnosisCause, verdict: DiagnosisVerdict): string {
  return [REMEDIES[cause](facts), whatComesNext(facts, cause, verdict)].filter((s) => s !== '').join(' ');
}

/** What the next dispatch does by itself, so that nobody repairs it by hand. */
function whatComesNext(facts: SessionFacts, cause: DiagnosisCause, verdict: DiagnosisVerdict): string {
  if (facts.session.replaced_by !== null) {
    return cause === 'no-longer-current'
      ? ''
      : `The conversation goes on in session ${facts.session.replaced_by} meanwhile.`;
  }
  switch (verdict) {
    case 'resumable':
      return cause === 'none' || cause === 'config-broken'
        ? ''
        : 'The next dispatch goes on under this id; nothing is lost.';
    case 'restorable':
      return restoredByItself(facts)
        ? 'The next dispatch restores it by itself.'
        : 'Left alone, the next dispatch makes a new session from our record.';
    case 'repairable':
      return 'The next dispatch drops the bad lines by itself.';
    case 'rebuild-needed':
      return facts.exchanges === 0
        ? 'The next dispatch starts a new session.'
        : `The next dispatch makes a new session from our record of ${facts.exchanges} exchange(s).`;
    case 'unknown':
      return '';
  }
}

/** The next dispatch takes the copy from the CLI folder that the row names. */
function isFetched({ choice }: SessionFacts): boolean {
  return choice.step === 'go-on' && choice.place.isFormer;
}

function restoredByItself({ access, choice }: SessionFacts): boolean {
  return access.writeError === null && choice.step === 'go-on';
}
