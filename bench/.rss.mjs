import {readFileSync} from 'node:fs';
for (const f of process.argv.slice(2)) await import(f);
const s=readFileSync('/proc/self/status','utf8');
const g=(k)=>+(new RegExp(k+':\\s+(\\d+)').exec(s)[1])*1024/1e6;
console.log(process.argv.slice(2).map(x=>x.split('/').pop()).join(' ')||'node', 'rss',g('VmRSS').toFixed(0),'anon',g('RssAnon').toFixed(0),'file',g('RssFile').toFixed(0), 'heap', (process.memoryUsage().heapUsed/1e6).toFixed(0), (process.memoryUsage().heapTotal/1e6).toFixed(0), 'ext', (process.memoryUsage().external/1e6).toFixed(0));
