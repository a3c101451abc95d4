import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stage } from '../test/support/service.ts';
import { usualConfig } from '../test/support/service-config.ts';
const [cli, ...flags] = process.argv.slice(2);
const stage = await Stage.open({ model: '', configText: (at) => usualConfig({ model: '' }, at) });
const child = spawn(process.execPath, [...flags, cli!, 'serve', '--config', stage.configFile], { env: {...stage.env, ...(process.env.GC?{GC:"1"}:{})}, stdio: ['ignore','pipe','inherit'] });
let out=''; child.stdout.on('data', d => out+=d);
while (!/listens on/.test(out)) await sleep(20);
for (const t of [0.5, 5]) { await sleep(t*1000);
const s = readFileSync(`/proc/${child.pid}/status`, 'utf8');
const g=(k: string)=>(+(new RegExp(k+':\\s+(\\d+)').exec(s)![1]!)*1024/1e6).toFixed(0);
console.log(flags.join(' '), cli, t, 'rss', g('VmRSS'), 'anon', g('RssAnon'), 'file', g('RssFile')); }
child.kill('SIGKILL'); await stage.close();
