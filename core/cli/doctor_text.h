// SPDX-License-Identifier: MIT
/* What the doctor found, as text for people and as lines for awk. Pure: adds to a text. */
#ifndef CLI_DOCTOR_TEXT_H
#define CLI_DOCTOR_TEXT_H

#include "cli/output.h"
#include "engine/doctor.h"

void doctor_text(struct str *s, bool colour, const struct doctor *doctor);
/* One line for each mount, always eight fields: host, standing, target, source, size, used,
 * available, use%. A blank within a field is \040 and what is not known is -. */
void doctor_lines(struct str *s, const struct doctor *doctor);
/* Bytes as df -h shows them: powers of 1024, rounded up, one digit after the point below 10. */
void doctor_add_size(struct str *s, int64_t bytes);

#endif
