/**
 * Diagnoses sessions in a process of its own: `node diagnose-process.ts <database url> <uid or -> <session id> …`
 * prints the diagnoses as JSON. With a uid it first becomes that user: everything is loaded and the database is open
 * by then, so that only the transcripts are out of its reach.
 */
import { openDatabase } from '../../src/database/database.ts';
import { diagnoseSession } from '../../src/views/diagnose.ts';

const [url, uid, ...ids] = process.argv.slice(2);
const database = openDatabase({ url: url!, readOnly: true });
await database.rows.selectFrom('sessions').select('id').execute();
if (uid !== '-') {
  process.setgroups!([]);
  process.setgid!(Number(uid));
  process.setuid!(Number(uid));
}
const answers = [];
for (const id of ids) {
  answers.push(await diagnoseSession(database.rows, id, { currentCliVersion: '2.1.330' }));
}
process.stdout.write(JSON.stringify(answers));
await database.close();
