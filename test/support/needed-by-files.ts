/** What whole test files need of the machine: they are left out, and named with the reason, where it is missing. */
import { needs, type Requirement } from './requirements.ts';

const NEEDED_BY: { files: string; needs: Requirement[] }[] = [
  { files: 'src/workdir.test.ts', needs: ['git'] },
  { files: 'src/workdir/**/*.test.ts', needs: ['git'] },
  { files: 'src/broker/git-door*.test.ts', needs: ['git', 'ssh-keygen'] },
  { files: 'rehearsal/pocket-forge*.test.ts', needs: ['git'] },
  { files: 'src/container/process.test.ts', needs: ['flock', 'proc'] },
  { files: 'src/agent-runner.test.ts', needs: ['cli', 'flock'] },
  { files: 'test/service.test.ts', needs: ['cli', 'git', 'flock', 'proc'] },
  { files: 'test/scenarios.test.ts', needs: ['cli', 'git', 'flock', 'proc'] },
];

export interface LeftOut {
  files: string;
  reason: string;
}

export function leftOutHere(): LeftOut[] {
  return NEEDED_BY.map((entry) => ({ files: entry.files, need: needs(...entry.needs) }))
    .filter(({ need }) => !need.ok)
    .map(({ files, need }) => ({ files, reason: need.reason }));
}
