import { mkdtempSync, readFileSync, mkdirSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startRehearsalModel } from '../src/rehearsal/model.ts';
import { parseModelScript } from '../src/rehearsal/model-script.ts';
import { cliFolders, createCliFolders, transcriptPath } from '../src/sessions/folders.ts';
import { captureStart } from './bare-cli.ts';
const f = mkdtempSync('/tmp/seed-'); const cwd = join(f,'co'); mkdirSync(cwd);
const model = await startRehearsalModel({ script: parseModelScript(`
scenes:
  - name: work
    when: { prompt: look around }
    steps:
      - { text: I look., tools: [{ name: Bash, input: { command: 'seq 1 15' } }] }
      - { text: 'done' }
`, 'x') });
const id = randomUUID(); const folders = cliFolders(f, 'c'); createCliFolders(folders);
const agent: any = { model: 'claude-sonnet-4-5', effort: null, tools: null, disallowedTools: [], maxTurns: null, permissionMode: 'bypassPermissions', instructions: 'x' };
const s = await captureStart({ folders, cwd, session: { id, start: 'new', resumeAt: null }, prompt: 'please look around', agent, model });
console.log(s.spec.args.join(' ')); console.log(s.input.toString().slice(0, 3000));
await captureStart({ folders, cwd, session: { id, start: 'resume', resumeAt: null }, prompt: '/compact', agent, model }).catch(e => console.log(String(e)));
console.log(readFileSync(join(folders.config, transcriptPath(id)), 'utf8').split('\n').map(l => l.slice(0, 1200)).join('\n'));
await model.close();
