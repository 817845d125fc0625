#include "closs/closs.h"

const char *closs_version(void) { return CLOSS_VERSION_STRING; }

const char *closs_status_string(closs_status status) {
    switch (status) {
    case CLOSS_OK: return "no error";
    case CLOSS_NULL_POINTER: return "the arguments, an array or a parameter is NULL, but needed";
    case CLOSS_BAD_SIZE: return "a size or stride is negative, too large, too small, or does not fit the others";
    case CLOSS_BAD_BROADCAST: return "a repeat or period is negative";
    case CLOSS_BAD_REDUCTION: return "unknown reduction";
    case CLOSS_BAD_PARAMETER: return "a parameter is outside its range or not finite, or this loss does not have it";
    case CLOSS_MISALIGNED: return "a pointer is no multiple of the size of the numbers behind it";
    case CLOSS_OVERLAP: return "an output overlaps another array (a gradient may be its input if the loss allows it)";
    case CLOSS_UNKNOWN_LOSS: return "unknown loss";
    case CLOSS_MISSING_OUTPUT: return "no output is given, or one that this reduction does not have";
    case CLOSS_BAD_LABEL: return "a label is out of range, or not one of those allowed";
    case CLOSS_NO_MEMORY: return "out of memory";
    case CLOSS_TOO_NEW: return "a reserved field is not 0: an argument of a later release, or memory never set to 0";
    case CLOSS_BAD_LENGTH: return "a length or offset of labels or pred is negative or beyond its array";
    case CLOSS_INFEASIBLE: return "no path spells the labels of a sample";
    }
    return "unknown status";
}
