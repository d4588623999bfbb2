import t from 'tap';
import { Gathered } from '../../src/mirror/gathered.js';

t.test('what is asked for at a time is asked for together', async (t) => {
  const asked: (readonly number[])[] = [];
  const doubles = new Gathered((questions: readonly number[]) => {
    asked.push(questions);
    return Promise.resolve(questions.map((question) => question * 2));
  });
  t.strictSame(await Promise.all([doubles.get(3), doubles.get(1), doubles.get(3)]), [6, 2, 6]);
  t.strictSame(await Promise.all([doubles.get(4)]), [8]);
  t.strictSame(asked, [[3, 1, 3], [4]]);
});

t.test('what fails, fails for all of its batch, and for no other', async (t) => {
  const answers = new Gathered((questions: readonly number[]) =>
    questions.includes(0) ? Promise.reject(new Error('zero')) : Promise.resolve(questions.slice(1).concat(questions[0] ?? [])),
  );
  const settled = await Promise.allSettled([answers.get(0), answers.get(1)]);
  t.strictSame(settled.map(({ status }) => status), ['rejected', 'rejected']);
  t.equal(await answers.get(5), 5);
  const short = new Gathered<number, number>(() => Promise.resolve([]));
  await t.rejects(short.get(1), { message: '0 answers to 1 questions' });
});
