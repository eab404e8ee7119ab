//! Words that mean one thing everywhere: precedence, lane, level.
//!
//! Names are those of the message and charter files; numbers are those of the wire. Wording in six
//! languages stands in `words/`.

/// Declares an enumeration with a name for files and a number for the wire.
macro_rules! named {
    ($(#[$outer:meta])* $type:ident { $($(#[$inner:meta])* $variant:ident = $number:literal $name:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $type { $($(#[$inner])* $variant = $number,)+ }

        impl $type {
            /// Every value, in order of number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in files and commands: lower case, words joined by `_`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Reads a name. `None` if there is no such value.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The value of a number on the wire. `None` if there is no such value.
            #[must_use]
            pub fn from_number(number: u64) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| u64::from(value.number()) == number)
            }
        }
    };
}

named! {
    /// How urgently people and queues treat a message. Later is more urgent.
    Precedence {
        /// Handled in the ordinary course of the day.
        Routine = 0 "routine",
        /// Before routine traffic.
        Priority = 1 "priority",
        /// Emergency lane; to be taken over within minutes.
        Immediate = 2 "immediate",
        /// Emergency lane; nothing stands before it.
        Flash = 3 "flash",
    }
}

named! {
    /// Which log of its party a message stands in.
    Lane {
        /// Routine and priority traffic, channel acts, machine entries.
        Ordinary = 0 "ordinary",
        /// Flash and immediate traffic; no suspension closes it.
        Emergency = 1 "emergency",
        /// Drills, with the same clocks; always shown between exercise marks.
        Exercise = 2 "exercise",
    }
}

named! {
    /// Rank at which a channel or a dialogue stands.
    Level {
        /// Heads of state or government.
        HeadOfState = 0 "head_of_state",
        /// Foreign ministers.
        ForeignMinister = 1 "foreign_minister",
        /// Defence ministers.
        DefenceMinister = 2 "defence_minister",
        /// Other ministers.
        Minister = 3 "minister",
        /// National security advisers.
        NationalSecurity = 4 "national_security",
        /// Armed services.
        Military = 5 "military",
        /// Senior officials, such as directors-general.
        SeniorOfficial = 6 "senior_official",
        /// Working level.
        Working = 7 "working",
        /// Experts.
        Expert = 8 "expert",
        /// Officials together with persons without office.
        #[doc(alias = "track 1.5")]
        Track15 = 9 "track_1_5",
        /// Persons without office.
        Track2 = 10 "track_2",
    }
}

impl Precedence {
    /// The lane a message of this precedence stands in; `exercise` decides before precedence does.
    #[must_use]
    pub const fn lane(self, exercise: bool) -> Lane {
        match (exercise, self) {
            (true, _) => Lane::Exercise,
            (false, Self::Immediate | Self::Flash) => Lane::Emergency,
            (false, Self::Routine | Self::Priority) => Lane::Ordinary,
        }
    }
}
