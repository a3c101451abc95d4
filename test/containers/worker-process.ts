/**
 * A worker in a process of its own: it runs one leased dispatch of a test's conversation, until it ends or is killed.
 */
import type { RehearsalModel } from '../../rehearsal/model.ts';
import { TestConversation } from '../support/conversation.ts';
import { testEngines } from '../support/engines.ts';

const { name, folder, url, lease, prompt } = JSON.parse(process.argv[2]!);
const { engine, image } = testEngines().find((e) => e.name === name)!;
// Of the model it needs only the address: who opened it looks at what it was asked.
const model = { url, requests: [] } as unknown as RehearsalModel;
await TestConversation.join(folder, model).run(lease, prompt, { engine, settings: { image } });
