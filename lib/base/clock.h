/* clock -- how long something takes. Never a part of a result. */
#ifndef IRIS_CLOCK_H
#define IRIS_CLOCK_H

/* Seconds of a clock that only goes forward and that nobody sets. */
double iris_seconds(void);

#endif
