/* flight_record -- what is in the file of a flight record, private to flight. */
#ifndef IRIS_FLIGHT_RECORD_H
#define IRIS_FLIGHT_RECORD_H

#include <stdatomic.h>
#include <stdint.h>

#include "flight.h"

#define IRIS_FLIGHT_MAGIC "irisfly2" /* without its NUL */

/* The word has the length of the text in its low bits and its hash in the others;
 * it is 0 while nothing is in hand or the text is being written. */
struct iris_flight_record {
    char magic[8];
    _Atomic uint64_t word;
    volatile int mark, fatal;
    _Atomic uint64_t began, alive; /* milliseconds of iris_seconds */
    char text[IRIS_FLIGHT_WHAT + 1];
};

/* The word of a text. */
uint64_t iris_flight_word(const char *text);

#endif
