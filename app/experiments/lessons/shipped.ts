/** The lessons of the site, fetched. */
import { useEffect, useState } from 'react';
import { readLesson, type Lesson } from '../../../src/lessons/lesson';
import { SHIPPED_LESSONS } from '../../../src/lessons/shipped';
import { message } from '../../../src/message';

/** The site's lessons, which are small; a sentence where one cannot be had; null until they are here. */
export function useShipped(): Lesson[] | string | null {
  const [shipped, setShipped] = useState<Lesson[] | string | null>(null);
  useEffect(() => {
    const one = async (id: string) => {
      const answer = await fetch(`./lessons/${id}.json`);
      if (!answer.ok) throw new Error(`${id}: the site answered ${answer.status}`);
      const { lesson, refused } = readLesson(await answer.text());
      if (lesson === null) throw new Error(`${id}: ${refused}`);
      return lesson;
    };
    Promise.all(SHIPPED_LESSONS.map(one)).then(setShipped, (error: unknown) =>
      setShipped(`The lessons could not be fetched: ${message(error)}. Open the page again.`),
    );
  }, []);
  return shipped;
}
