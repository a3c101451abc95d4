/** The sample server of `mcp-sample.ts` as a program: `SAMPLE` has its options as JSON, `SAMPLE_SECRET` its secret. */
import { readFileSync } from 'node:fs';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type SampleOptions, sampleServer } from './mcp-server.ts';

const options = JSON.parse(process.env.SAMPLE ?? '{}') as SampleOptions & { crash?: boolean };
if (process.env.SAMPLE_SECRET !== undefined) options.secret = process.env.SAMPLE_SECRET;
if (options.crash === true) {
  console.error(`cannot start with ${options.secret}`);
  process.exit(1);
}
// A picture of a megabyte is too long for an environment variable, so it comes as a path.
if (options.picture?.startsWith('/')) options.picture = readFileSync(options.picture).toString('base64');
await sampleServer({ ...options, die: () => process.exit(1) }).connect(new StdioServerTransport());
