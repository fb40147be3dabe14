/** Names to make people of: as written, and in the letters of a username where those differ. */

export const FIRST_NAMES = `Ada Aisha:Aïsha Akira Alba Aleksander Alice Amara Amelia Amir Ana Anders Andrei Anja Ann
Anneke Antonio:António Anya Aoife Arjun Arthur Asha Astrid Ayse:Ayşe Beatriz Ben Bo Bogdan Brigid Bruno Camille
Carla Carlos Carmen Cecilia Chen Chiara Chidi Chloe:Chloé Clara Claudia Conor Dafydd Dalia Daniel Daria David Deepa
Diego Dimitra Divya Dmitri:Дмитрий Dora Duc:Đức Edith Ekaterina:Екатерина Elena Elias Elif Elsa Emeka Emil Emma Enzo
Erik Esther Eva Fatima Felix Fiona Finn Francesca Freya Gabriel Gina Giulia Goran Grace Greta Gwen Hana Hannah Haruki
Hassan Helena Henrik Hugo Ibrahim Ida Ines:Inés Ingrid Irina Isabel Ivan Jakub Jan Jana Jasmine Javier Jin Joana Johan
Jonas Jorge Jose:José Julia Jun Kai Karim Karin Kasia Katya Kofi Kwame Lars Laura Leila Lena Leo Liam Lidia Lien Lin
Linh Luca Lucia:Lucía Luis Lukas:Lukáš Magnus Maja Malik Marek Maria Marta Mateo Matthias Maya Mei Mia Miguel Mila
Mina Mohammed Monika Nadia Naoko Nia Nicolas Nikos Nina Noah Noor Nora Olga Oliver Olivia Omar Oscar Pablo Paolo Pedro
Petra Pilar Priya Quinn Rafael Rahul Rania Ravi Rosa Rui Ruth Saanvi Said:Saïd Sam Samira Sara Selma Seo Siobhan:Siobhán
Sofia Soren:Søren Stefan Sunita Svetlana:Светлана Tadeusz Tariq Tereza Theo Thomas Tomas:Tomáš Uma Ursula Valentina
Vera Victor Vikram Wanjiru Wei Wiktor Xavier Ximena Yara Yasmin Yuki Yusuf Zanele Zoe:Zoë Zofia`;

export const LAST_NAMES = `Abbott Abe Abebe Acosta Adeyemi Agarwal Aguilar Ahmed Aksoy Ali Almeida Alvarez:Álvarez
Andersen Andersson Andrade Ansari Aoki Araujo:Araújo Arslan Asante Aydin Bailey Baker Bakker Banerjee Barbosa Barros
Bauer Becker Bello Bennett Berg Bernard Bianchi Blanc Boateng Bianco Brandt Brown Bruno Byrne Cabrera Campbell Campos
Cardoso Carvalho Castro Chanda Chavez:Chávez Chen Cheng Choi Chowdhury Clark Cohen Collins Colombo Conti Cooper Costa
Cruz Cunha Dahl Das Davies Delgado Demir Desai Dias Diaz:Díaz Diop Dogan:Doğan Dubois Duarte Dupont Edwards Eriksen
Esposito Evans Fernandes Fernandez:Fernández Ferrari Fischer Flores Fofana Foster Fournier Fujita Gallo Garcia:García
Gill Girard Gomez:Gómez Goncalves:Gonçalves Gonzalez:González Greco Green Gruber Gupta Gutierrez:Gutiérrez Hall Hansen
Hassan Hernandez:Hernández Herrera Hoffmann Horvath:Horváth Huang Hughes Hussain Ibrahim Inoue Ito Ivanov:Иванов Jackson
Jansen Jansson Jensen Jimenez:Jiménez Johansson Johnson Jones Kamara Kang Kaplan Kapoor Kaur Kaya Keita Kelly Khan Kim
Kimura King Klein Kobayashi Koch Kowalski Kozlov:Козлов Kraus Krishnan Kumar Lambert Larsen Lee Lehmann Leroy Lewis Li
Lima Lin Lindqvist Liu Lopez:López Lund Macdonald Maier Malik Marino Martin Martinez:Martínez Mbeki Mehta Meijer Mendes
Mensah Meyer Miller Mishra Mitchell Moore Morales Moreau Moreno Morgan Mori Moyo Mueller:Müller Murphy Mwangi Nakamura
Nair Navarro Ndiaye Nel Nguyen:Nguyễn Nielsen Novak:Novák Nowak Nunez:Núñez Nyberg OBrien:O’Brien OConnor:O’Connor
Okafor Okamoto Oliveira Olsen Ortega Ortiz Osei Otieno Ozturk:Öztürk Park Patel Pavlov:Павлов Peeters Pereira Perez:Pérez
Petersen Petit Petrov:Петров Phillips Pinto Popescu Price Quinn Rahman Ramirez:Ramírez Ramos Rao Reddy Reyes Ribeiro
Ricci Richter Rivera Roberts Robinson Rocha Rodriguez:Rodríguez Romano Romero Rossi Roux Ruiz Russo Saito:Saitō Sanchez:Sánchez
Santos Sato:Satō Schmidt Schneider Schwarz Scott Shah Sharma Silva Simon Singh Smirnova:Смирнова Smit Smith Soares Sousa
Stewart Strasser:Straßer Suzuki Svensson Takahashi Tan Tanaka Taylor Thomas Thompson Torres Toth:Tóth Tran:Trần Traore:Traoré
Tshabalala Turner Usman Vargas Vega Verma Vieira Visser Vogel Volkov:Волков Walker Wallin Wang Watanabe Weber White
Williams Wilson Wood Wright Wu Yadav Yamada Yang Yilmaz:Yılmaz Young Zhang Zhao Zhou Zhu Ziegler Zimmermann Zulu`;
