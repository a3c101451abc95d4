const { startService } = await import(process.env.WIRING ?? '../src/wiring.ts');
const i = process.argv.indexOf('--config');
await startService({ file: process.argv[i+1]!, env: process.env, write: (l: string) => void process.stdout.write(l) });
if (process.env.GC) { const v8 = await import('node:v8'); v8.setFlagsFromString('--expose-gc'); const vm = await import('node:vm'); const gc = vm.runInNewContext('gc'); setTimeout(()=>{ gc(); gc({type:'minor'}); const m=process.memoryUsage(); console.error('heap', m.heapUsed/1e6, m.heapTotal/1e6, m.external/1e6, m.arrayBuffers/1e6)}, 1000); }
